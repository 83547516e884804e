"""What trainings may take where no call says so: a budget of memory for everything inside a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from heldout.engine.population.budget import bytes_of

_MEMORY: ContextVar[int | None] = ContextVar("memory", default=None)


@contextmanager
def within_memory(amount: int | str | None) -> Iterator[None]:
    """Keep the stacks of every training in a block inside a budget.

    Args:
        amount: Bytes, or such as ``"4GiB"``; None leaves things as they are.

    Yields:
        Nothing.

    Example:
        >>> with within_memory("4GiB"):
        ...     memory_budget()
        4294967296
    """
    if amount is None:
        yield
        return
    token = _MEMORY.set(bytes_of(amount))
    try:
        yield
    finally:
        _MEMORY.reset(token)


def memory_budget() -> int | None:
    """The budget of the block around, in bytes.

    Returns:
        None where there is none.
    """
    return _MEMORY.get()
