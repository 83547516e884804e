"""Facts of the data that decide which other networks a network can be compared with."""

from torch.utils._pytree import tree_leaves

from heldout.engine.subject import Subject


def contexts(subject: Subject) -> dict[str, float | None]:
    """Sizes of the data.

    Args:
        subject: Networks and data.

    Returns:
        ``context.examples`` (N), ``context.classes`` (None of a regression), ``context.inputs`` (numbers an input).
    """
    return {
        "context.examples": float(len(subject.train)),
        "context.classes": None if subject.classes is None else float(subject.classes),
        "context.inputs": float(sum(leaf[0].numel() for leaf in tree_leaves(subject.probe))),
    }
