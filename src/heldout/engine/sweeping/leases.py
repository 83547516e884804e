"""Leases: how processes that share a store keep out of each other's way. They save work; nothing depends on them."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator

from heldout.engine.store import Store
from heldout.engine.store.segments import publish

BEAT = 5.0  # seconds between signs of life
STALE = 30.0  # a lease without one for so long belongs to nobody


@contextlib.contextmanager
def lease(store: Store, folder: str) -> Iterator[None]:
    """Say that this process is at work on a bucket, for as long as it is.

    Args:
        store: Where.
        folder: Of the bucket.

    Yields:
        Nothing.
    """
    over = threading.Event()
    path = f"{folder}/.lease"

    def beat() -> None:
        while True:
            mark = {"host": socket.gethostname(), "process": os.getpid(), "time": time.time()}
            with contextlib.suppress(OSError):
                publish(store.files, path, json.dumps(mark).encode())
            if over.wait(BEAT):
                return

    keeper = threading.Thread(target=beat, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
        with contextlib.suppress(OSError):
            store.files.rm_file(path)


def taken(store: Store, folder: str) -> bool:
    """Whether another living process is at work on a bucket.

    Args:
        store: Where.
        folder: Of the bucket.

    Returns:
        False if nobody holds it, or its holder is dead, here or for too long a time elsewhere.
    """
    try:
        mark = json.loads(store.files.cat_file(f"{folder}/.lease"))
        host, process, moment = str(mark["host"]), int(mark["process"]), float(mark["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if time.time() - moment > STALE:
        return False
    return host != socket.gethostname() or (process != os.getpid() and _alive(process))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
