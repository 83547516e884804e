"""What certificates must be told of the training itself: its privacy."""

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def is_private(subject: Subject) -> None:
    """Demand networks that were trained with differential privacy.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If nobody said so.
    """
    is_classification(subject)
    if subject.privacy is None:
        raise NotApplicable(
            "nobody said that these networks were trained with differential privacy",
            do="pass privacy= the epsilon of their training",
        )


@evidence(requires=is_private)
def privacy(subject: Subject) -> float:
    """Epsilon of the differential privacy of the training."""
    assert subject.privacy is not None  # is_private was asked first
    return float(subject.privacy)
