"""How few of its weights a network needs."""

from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.pruning import Pruning
from heldout.records import Direction, Estimate, estimate


@measure(source="global magnitude pruning (Han et al. 2015) to a training error of 0.1; compare Zhou et al. 2019",
         direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0),
         invariances=("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order"),
         undefined="the network's own training error is above 0.1")  # fmt: skip
def prunability(pruning: Pruning) -> Estimate:
    r"""The smallest fraction of the weights that must be kept for a training error of at most a tenth.

    .. math:: \min \{ k : \hat R(w \odot 1[|w| \text{ among the } \lceil kW \rceil \text{ largest}]) \le 0.1 \}

    All weight layers of the folded network are ranked together by magnitude; biases stay; nothing is retrained. Fractions go
    down a grid (1, 0.4, 0.16, ...) until one fails, and the last step is then bisected: the value passed and the lower end
    failed. Should the error rise and fall again below that, smaller fractions that would pass are not looked for. It cannot
    see scale that moves between layers, which changes the ranking.

    Args:
        pruning: The search.

    Returns:
        The fraction, and as its interval the enclosure that the search ended with.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = Pruning(0.25 * one, 0.2 * one, one.bool(), one[None], 0 * one[None])
        >>> prunability(found).value.item()
        0.25
    """
    return estimate(pruning.kept, low=pruning.failing, high=pruning.kept, converged=pruning.converged)


@profile(source="global magnitude pruning (Han et al. 2015)")
def pruning_curve(pruning: Pruning) -> dict[str, Tensor]:
    """Training error against the fraction of weights kept, where it was evaluated.

    Args:
        pruning: The search.

    Returns:
        Columns member, kept, error.

    Example:
        >>> import torch
        >>> nothing = torch.zeros(1)
        >>> curve = pruning_curve(Pruning(nothing, nothing, nothing, torch.tensor([[0.4, 1.0]]), torch.tensor([[0.5, 0.0]])))
        >>> curve["error"].tolist()
        [0.5, 0.0]
    """
    members, points = pruning.fractions.shape
    member = pruning.kept.new_ones(members, points).long().cumsum(0) - 1
    return {"member": member.flatten(), "kept": pruning.fractions.flatten(), "error": pruning.errors.flatten()}
