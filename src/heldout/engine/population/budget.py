"""An amount of memory, as people write it."""

import re

from heldout.records import Refusal

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def bytes_of(amount: str | int, argument: str = "memory") -> int:
    """An amount of memory in bytes.

    Args:
        amount: Bytes, or such as ``"256MiB"`` or ``"2 GB"``.
        argument: Its name, for the sentence if it is refused.

    Returns:
        Bytes.

    Raises:
        Refusal: If it is no positive amount.

    Example:
        >>> bytes_of("256MiB")
        268435456
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(amount).strip())
    number = float(match[1]) * UNITS[match[2].upper()] if match and match[2].upper() in UNITS else 0
    if not 1 <= number < 2**62:
        raise Refusal(
            given=f"{argument} was '{amount}'",
            expected="a positive amount such as 256MiB or 2GiB",
            do="pass what may be taken at a time",
        )
    return int(number)
