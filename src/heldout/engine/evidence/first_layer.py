"""The first dense layer, its rows cut where the inputs are one-hot blocks."""

from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.population import weight_layers
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

SHORTEST = 4  # entries of a block; below, there are too few frequencies to tell one from many


def first_layer_is_dense(subject: Subject) -> None:
    """Demand that the first weight layer is dense and reads the inputs themselves.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is something else, or its inputs are too short.
    """
    layers = weight_layers(subject.population)
    kind = layers[0].kind if layers else "none"
    if kind != "Linear":
        raise NotApplicable(f"the first weight layer is not dense ({kind})", do="use the readings of spectra instead")
    if subject.population.parameters[layers[0].name].shape[-1] < SHORTEST:
        raise NotApplicable(
            f"the first layer has fewer than {SHORTEST} inputs", do="use the readings of spectra instead"
        )


@evidence(requires=first_layer_is_dense)
def first_layer_rows(subject: Subject, weights: dict[str, Tensor]) -> Tensor:
    """Rows of the first dense layer, ``[M, out, blocks, in / blocks]``: one block for each one-hot code in the inputs.

    Inputs that are not zeros and ones with one 1 in each of several equal blocks are one block.

    Args:
        subject: What is under study.
        weights: Layer's name -> ``[M, out, in]``, the first layer first.

    Returns:
        The rows.
    """
    rows = next(iter(weights.values()))
    return rows.reshape(*rows.shape[:-1], one_hot_blocks(subject), -1)


def one_hot_blocks(subject: Subject) -> int:
    """How many one-hot codes of equal length the training inputs are made of.

    Args:
        subject: What is under study.

    Returns:
        Their number; 1 where the inputs are anything else.
    """
    x = subject.train.x
    if not isinstance(x, Tensor):
        return 1
    flat = x.reshape(-1, x[0, 0].numel() if subject.train.x_per_member else x[0].numel())
    ones = flat == 1
    count = int(ones[0].sum())
    if count < 1 or flat.shape[1] % count or not bool((ones | (flat == 0)).all()):
        return 1
    return count if bool((ones.reshape(len(ones), count, -1).sum(-1) == 1).all()) else 1
