"""How heldout says no: given, expected, do."""

from collections.abc import Sequence


class Refusal(ValueError):
    """An input that heldout will not work on, in one sentence: what was given, what is accepted, what to do.

    Args:
        given: The argument and what it was, such as ``"delta was 1.5"``.
        expected: What is accepted, such as ``"a number strictly between 0 and 1"``.
        do: The remedy, such as ``"pass delta=0.05 for 95 % certainty"``.

    Example:
        >>> print(Refusal(given="delta was 1.5", expected="a number in (0, 1)", do="pass delta=0.05"))
        delta was 1.5; expected a number in (0, 1): pass delta=0.05.
    """

    def __init__(self, *, given: str, expected: str, do: str) -> None:
        self.given, self.expected, self.do = given, expected, do
        super().__init__(f"{given}; expected {expected}: {do}.")


class NotApplicable(Exception):
    """Raised for evidence that this subject cannot have; readings become *not applicable, because ...*, never wrong."""

    def __init__(self, reason: str, *, do: str) -> None:
        self.reason, self.do = reason, do
        super().__init__(f"{reason}; {do}")


def refuse(faults: Sequence[Refusal]) -> None:
    """Refuse all faults of an input together, so that nobody mends them one run at a time.

    Args:
        faults: What was found; an empty sequence passes.

    Raises:
        Refusal: If there is any fault.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        both = [str(fault).rstrip(".") for fault in faults]
        raise Refusal(
            given=f"{len(faults)} faults at once: " + "; ".join(f"({i}) {text}" for i, text in enumerate(both, 1)),
            expected="none of these",
            do="mend each as said",
        )
