"""Words of the command line as values. Each refuses with a sentence that names the option."""

import difflib
import json
import re
from typing import Any

from heldout.records import Refusal


def seed_of(words: str) -> int:
    """A seed.

    Args:
        words: Such as ``"0"``.

    Returns:
        The number.

    Raises:
        Refusal: If it is no whole number of at most 64 bits.

    Example:
        >>> seed_of("7")
        7
    """
    if not re.fullmatch(r"[0-9]{1,19}", words) or int(words) >= 2**63:
        raise Refusal(given=f"--seed was '{words}'", expected="a whole number from 0 to 2^63 - 1", do="pass --seed 0")
    return int(words)


def delta_of(words: str) -> float:
    """A failure probability.

    Args:
        words: Such as ``"0.05"``.

    Returns:
        The number.

    Raises:
        Refusal: If it is not strictly between 0 and 1.

    Example:
        >>> delta_of("0.05")
        0.05
    """
    try:
        delta = float(words)
    except ValueError:
        delta = 0.0
    if not 0 < delta < 1:
        raise Refusal(
            given=f"--delta was '{words}'",
            expected="a number strictly between 0 and 1",
            do="pass --delta 0.05 for 95 % certainty",
        )
    return delta


def share_of(words: str, option: str) -> float:
    """A share.

    Args:
        words: Such as ``"0.1"``.
        option: The option's name.

    Returns:
        The number.

    Raises:
        Refusal: If it is not between 0 and 1.

    Example:
        >>> share_of("0.1", "--target")
        0.1
    """
    try:
        share = float(words)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Refusal(given=f"{option} was '{words}'", expected="a number from 0 to 1", do=f"pass {option} 0.1")
    return share


def range_of(words: str) -> tuple[float, float]:
    """The range of a loss.

    Args:
        words: Such as ``"0,1"``.

    Returns:
        Its two ends.

    Raises:
        Refusal: If they are not two finite numbers in order.

    Example:
        >>> range_of("0,4.5")
        (0.0, 4.5)
    """
    try:
        low, high = (float(word) for word in words.split(","))
    except ValueError:
        low, high = 0.0, float("nan")
    if not float("-inf") < low < high < float("inf"):
        raise Refusal(
            given=f"--loss-range was '{words}'",
            expected="two finite numbers, the smaller first",
            do="pass it as --loss-range 0,1",
        )
    return low, high


def keywords_of(words: str) -> dict[str, Any]:
    """Arguments of a factory.

    Args:
        words: A JSON object.

    Returns:
        The arguments.

    Raises:
        Refusal: If it is none.

    Example:
        >>> keywords_of('{"width": 64}')
        {'width': 64}
    """
    try:
        value = json.loads(words)
        reason = f"a JSON {type(value).__name__}"
    except ValueError as error:
        value, reason = None, f"no JSON ({error})"
    if not isinstance(value, dict):
        raise Refusal(
            given=f"--network-args was '{words}', {reason}",
            expected="a JSON object",
            do="""pass it as --network-args '{"width": 64}'""",
        )
    return value


def device_of(words: str) -> str:
    """The device to compute on.

    Args:
        words: ``cpu``, ``cuda`` or ``cuda:1``.

    Returns:
        The same.

    Raises:
        Refusal: If there is no such device here.
    """
    import torch

    if not re.fullmatch(r"cpu|cuda(:\d+)?", words):
        raise Refusal(given=f"--device was '{words}'", expected="cpu, cuda or cuda:INDEX", do="choose one of these")
    index = int(words.partition(":")[2] or 0)
    if words != "cpu" and index >= torch.cuda.device_count():
        raise Refusal(
            given=f"--device was '{words}', and torch finds {torch.cuda.device_count()} such devices here",
            expected="a device that is there",
            do="pass --device cpu or install a torch that was built for your GPU",
        )
    return words


def choice_of(words: str, option: str, choices: tuple[str, ...]) -> str:
    """One of several words.

    Args:
        words: What was given.
        option: The option's name.
        choices: What is accepted.

    Returns:
        The same.

    Raises:
        Refusal: If it is none of them.

    Example:
        >>> choice_of("allow", "--duplicates", ("refuse", "allow"))
        'allow'
    """
    if words not in choices:
        near = difflib.get_close_matches(words, choices, n=1)
        raise Refusal(
            given=f"{option} was '{words}'",
            expected=f"one of {', '.join(choices)}",
            do=f"did you mean '{near[0]}'" if near else "choose one of these",
        )
    return words
