"""What makes a certificate invalid, in sentences."""

from heldout.engine.evidence.duplicates import Duplicates
from heldout.engine.evidence.held_out import HeldOutLoss
from heldout.engine.subject import Subject


def refusals(subject: Subject, duplicates: Duplicates, loss: HeldOutLoss, smallest: float, largest: float) -> list[str]:
    """Why no certificate can be issued for this subject on its test data.

    Args:
        subject: What was audited.
        duplicates: Between training and test data.
        loss: Which the certificates would speak of.
        smallest: Loss that was observed.
        largest: Loss that was observed.

    Returns:
        One sentence a reason, with what to do; empty if certificates may be issued.
    """
    found = []
    if subject.selected_on_test:
        found.append(
            "the test data took part in choosing the network, so they are no longer held out: certify on examples that "
            "nobody has looked at."
        )
    found += refusals_of_layers(subject)
    if subject.duplicates == "refuse" and len(duplicates.exact) + len(duplicates.near):
        both = [*duplicates.exact.tolist(), *duplicates.near.tolist()]
        some = ", ".join(map(str, both[:5])) + (", ..." if len(both) > 5 else "")
        found.append(
            f"{len(duplicates.exact)} test examples equal a training example and {len(duplicates.near)} nearly do "
            f"(test indices {some}): remove them, or say duplicates='allow' if independent draws repeat in these data."
        )
    if smallest < loss.low or largest > loss.high:
        found.append(
            f"losses from {smallest:.4g} to {largest:.4g} were observed, outside the declared range {loss.low:g} to "
            f"{loss.high:g}: declare a range that the loss can never leave."
        )
    return found


def refusals_of_layers(subject: Subject) -> list[str]:
    """Why no certificate at all can be issued for these networks: layers in training mode.

    Args:
        subject: What was audited.

    Returns:
        One sentence a reason.
    """
    if not subject.train_mode:
        return []
    return [
        f"the network came in training mode, where {', '.join(subject.train_mode[:3])} computes something else than was "
        "measured: call network.eval() first."
    ]


def data_ledger(subject: Subject, duplicates: Duplicates) -> dict[str, str]:
    """Which examples did what.

    Args:
        subject: What was audited.
        duplicates: Between training and test data.

    Returns:
        Role -> examples.
    """
    test = 0 if subject.test is None else len(subject.test)
    searched = f"all {test}" if duplicates.searched == test else f"{duplicates.searched} of {test}"
    ledger = {
        "network": f"fixed by {len(subject.train)} training examples before the bound's were looked at",
        "bound": f"{test} held-out examples, all of them, assumed to be independent draws",
        "selection": "none, as the user declares",
        "repeats": f"{len(duplicates.exact)} exact among all {test}, {len(duplicates.near)} near among {searched}",
        "other certificates": "this one holds on its own at delta; the smallest of several does not",
    }
    if subject.duplicates == "allow":
        ledger["assumption"] = "repeats between training and test data come from independent draws"
    return ledger
