"""What went wrong in a watch: said once, kept in the record, and never raised into a training."""

import sys
import warnings
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Sentences, each said once.

    Attributes:
        said: They, in their order.

    Example:
        >>> faults = Faults()
        >>> with warnings.catch_warnings(record=True, action="always") as warned:
        ...     _ = faults.note("a probe", ValueError("no")), faults.note("a probe", ValueError("no"))
        >>> len(warned), faults.said
        (1, ['a probe failed and is switched off; training goes on (ValueError: no)'])
    """

    said: list[str] = field(default_factory=list)

    def note(self, what: str, error: Exception) -> str:
        """Say that something failed.

        Args:
            what: Failed.
            error: How.

        Returns:
            The reason in a few words.
        """
        words = str(error).strip().splitlines()[0] if str(error).strip() else ""
        reason = f"{type(error).__name__}: {words}".rstrip(": ")
        self.say(f"{what} failed and is switched off; training goes on ({reason})")
        return reason

    def say(self, sentence: str) -> None:
        """Warn once of a sentence, even where warnings are errors: a watch may not stop a training.

        Args:
            sentence: What to say.
        """
        if sentence in self.said:
            return
        self.said.append(sentence)
        try:
            warnings.warn(f"heldout watch: {sentence}", stacklevel=2)
        except Warning:
            print(f"heldout watch: {sentence}", file=sys.stderr)
