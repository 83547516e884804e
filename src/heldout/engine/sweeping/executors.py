"""Where buckets are carried out: in this process, or on Ray. The store is all that is shared."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from heldout.engine.store import Store
from heldout.engine.store.writing import said_in_a_sentence
from heldout.engine.sweeping.buckets import Work, carry_out, done, folder_of
from heldout.engine.sweeping.grids import Bucket
from heldout.engine.sweeping.leases import lease, taken
from heldout.records import Refusal

OnBucket = Callable[[int, int], None]
Executor = Callable[[Store, Mapping[str, Bucket], Work, OnBucket], None]
SECONDS_TO_ANSWER = 20
KEPT = "finished buckets are kept"


def executor_named(name: str) -> Executor:
    """The executor of a name.

    Args:
        name: ``"local"``, ``"ray"`` or ``"ray://HOST:PORT"``.

    Returns:
        A function that carries out all buckets that the store does not hold.

    Raises:
        Refusal: If there is no such executor, Ray is not installed, or nobody answers at the address.
    """
    if name == "local":
        return share
    if name != "ray" and not name.startswith("ray://"):
        raise Refusal(
            given=f"executor was '{name}'", expected="'local', 'ray' or 'ray://HOST:PORT'", do="pass executor='local'"
        )
    try:
        import ray  # noqa: F401
    except ImportError:
        raise Refusal(
            given=f"executor was '{name}', and Ray is not installed",
            expected="the extra 'ray'",
            do="pip install 'heldout[ray]'",
        ) from None
    if name.startswith("ray://"):
        check_answers(name)
    return lambda store, buckets, work, on_bucket: _on_ray(name, store, buckets, work, on_bucket)


def share(store: Store, buckets: Mapping[str, Bucket], work: Work, on_bucket: OnBucket) -> None:
    """Carry out every bucket that nobody has, leaving aside those that another process is at.

    Args:
        store: Of the sweep.
        buckets: Address -> bucket.
        work: What they share.
        on_bucket: Called with the number of finished buckets and of all.
    """
    left = [name for name in buckets if not done(store, name)]
    on_bucket(len(buckets) - len(left), len(buckets))
    while left:
        free = next((name for name in left if not taken(store, folder_of(store, name))), None)
        if free is None:
            time.sleep(0.5)  # all that is left is with others; if they die, it becomes free
        elif not done(store, free):
            with lease(store, folder_of(store, free)), said_in_a_sentence(store.url, KEPT):
                carry_out(store, free, buckets[free], work)
        left = [name for name in left if not done(store, name)]
        on_bucket(len(buckets) - len(left), len(buckets))


def check_answers(name: str) -> None:
    """Refuse an address at which nobody listens, at once instead of after Ray's long patience.

    Args:
        name: ``"ray://HOST:PORT"``.

    Raises:
        Refusal: If the address is none or cannot be reached.
    """
    import socket

    host, _, port = name.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, ValueError, OverflowError) as error:
        raise Refusal(
            given=f"executor was '{name}' ({error})",
            expected="the address of a Ray cluster that is running",
            do="start it with 'ray start --head', or pass executor='ray' for one on this machine",
        ) from None


def _on_ray(name: str, store: Store, buckets: Mapping[str, Bucket], work: Work, on_bucket: OnBucket) -> None:
    import ray

    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(address=None if name == "ray" else name, log_to_driver=False, include_dashboard=False)
        except (
            ConnectionError,
            RuntimeError,
        ) as error:  # somebody listens there who is no Ray, or another version of it
            raise Refusal(
                given=f"executor was '{name}' ({(str(error).splitlines() or [type(error).__name__])[0]})",
                expected="a Ray cluster of this version that answers",
                do="pass executor='local', or start the cluster anew",
            ) from error
    try:
        shared = ray.put(work)
        # a worker that dies costs its bucket, which is run again
        task = ray.remote(max_retries=5, num_cpus=1)(_remote)
        left = {
            task.remote(store.url, key, bucket, shared): key for key, bucket in buckets.items() if not done(store, key)
        }
        on_bucket(len(buckets) - len(left), len(buckets))
        while left:
            finished, _ = ray.wait(list(left), num_returns=1)
            for one in finished:
                try:
                    ray.get(one)
                except ray.exceptions.RayTaskError as error:
                    raise (error.cause if isinstance(error.cause, Refusal) else error) from None
                del left[one]
            on_bucket(len(buckets) - len(left), len(buckets))
    finally:
        if mine:
            ray.shutdown()


def _remote(url: str, name: str, bucket: Bucket, work: Any) -> None:
    store = Store(url)
    if not done(store, name):
        with lease(store, folder_of(store, name)), said_in_a_sentence(store.url, KEPT):
            carry_out(store, name, bucket, work)
