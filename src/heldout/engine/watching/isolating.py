"""Nothing that happens in here is seen outside: random states and modes of torch, NumPy and Python are put back."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

DEEP = 4  # attributes of attributes that are looked at for random generators


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run something beside a training without leaving a trace in its global state.

    The random states of torch on every device in use, of NumPy and of Python are put back; autocast, inference mode, gradients and a
    default device are switched off inside and stand as before outside.

    Yields:
        Nothing.

    Example:
        >>> before = torch.get_rng_state()
        >>> with undisturbed():
        ...     _ = torch.rand(3)
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  the global state is what is kept
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=devices))
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())
            for kind in ("cpu", "cuda"):
                if torch.is_autocast_enabled(kind):
                    stack.enter_context(torch.autocast(kind, enabled=False))
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))  # generators of heldout's streams live on the CPU
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def generators_kept(thing: Any) -> Iterator[None]:
    """Put the random generators that a data set or a loader carries back to where they were.

    Args:
        thing: What carries them, as attributes, in lists or dictionaries, a few levels deep.

    Yields:
        Nothing.
    """
    states = [(generator, _state(generator)) for generator in generators_in(thing)]
    try:
        yield
    finally:
        for generator, state in states:
            _put_back(generator, state)


def generators_in(thing: Any) -> list[Any]:
    """The random generators that a thing carries.

    Args:
        thing: A data set, a loader, a transform.

    Returns:
        Those of torch, NumPy and Python, each once.
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def visit(each: Any, depth: int) -> None:
        if id(each) in seen or depth > DEEP:
            return
        seen.add(id(each))
        if isinstance(each, (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)):
            found[id(each)] = each
        elif isinstance(each, dict):
            for inner in [*each.values()][:64]:
                visit(inner, depth + 1)
        elif isinstance(each, (list, tuple)):
            for inner in each[:64]:  # a list of transforms, not a list of examples
                visit(inner, depth + 1)
        elif not isinstance(each, (torch.Tensor, np.ndarray, str, bytes, type)):
            if isinstance(each, DataLoader):
                visit(each.dataset, depth)
            visit(getattr(each, "__dict__", {}), depth + 1)

    visit(thing, 0)
    return list(found.values())


def _state(generator: Any) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state() if isinstance(generator, np.random.RandomState) else generator.getstate()


def _put_back(generator: Any, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.setstate(state)
