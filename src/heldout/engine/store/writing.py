"""What a disk that will not take any more means to who is waiting for a result."""

import contextlib
from collections.abc import Iterator

from heldout.records import Refusal


@contextlib.contextmanager
def said_in_a_sentence(url: str, what: str) -> Iterator[None]:
    """Say what a disk that refuses to be written to means.

    Args:
        url: Of the store.
        what: Is kept of the work, such as ``"finished cells are kept"``.

    Yields:
        Nothing.

    Raises:
        Refusal: If the operating system refuses to write.
    """
    try:
        yield
    except OSError as error:
        raise Refusal(
            given=f"store '{url}' could not be written to ({error.strerror or error})",
            expected="room for what is kept",
            do=f"make room and run the same again: {what}",
        ) from error
