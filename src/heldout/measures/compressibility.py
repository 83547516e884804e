"""How few of its weights a network needs."""

from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.loss_pruning import LossPruning
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
    see scale that moves between layers, which changes the ranking. Kuhn et al. 2021 ask for the training loss instead of an
    error that all networks share, which is ``prunability-by-loss``.

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


@measure(source="Kuhn et al. 2021, arXiv 2103.06002: prunability by magnitude", direction=Direction.HIGHER_IS_WORSE,
         range=(0.0, 1.0), invariances=("batch-norm-folding", "neuron-permutation", "example-order"))  # fmt: skip
def prunability_by_loss(loss_pruning: LossPruning) -> Estimate:
    r"""The smallest fraction of the weights, the largest ones, whose training loss is at most a tenth above the network's own.

    .. math:: \min \{ k : L(w \odot 1[|w| \text{ among the } \lceil kW \rceil \text{ largest}]) \le 1.1 \, L(w) \}

    "The smallest fraction of the network's parameters that can be kept while pruning without adversely affecting its training
    loss"; the tenth is this library's reading of it. Nothing is retrained, biases stay, and the search is that of
    ``prunability``. A network trained to a tiny loss is held to a tiny rise: compare networks at equal loss.

    Args:
        loss_pruning: The search.

    Returns:
        The fraction, and as its interval the enclosure that the search ended with.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> prunability_by_loss(LossPruning(0.25 * one, 0.2 * one, one.bool(), one[None], one.bool())).value.item()
        0.25
    """
    return estimate(
        loss_pruning.kept, low=loss_pruning.failing, high=loss_pruning.kept, converged=loss_pruning.converged
    )


@measure(source="Kuhn et al. 2021, arXiv 2103.06002: prunability at random", direction=Direction.HIGHER_IS_WORSE,
         range=(0.0, 1.0), invariances=("batch-norm-folding", "example-order"))  # fmt: skip
def random_prunability(loss_pruning: LossPruning) -> Estimate:
    r"""The smallest fraction of the weights, in a random order, whose training loss is at most a tenth above the network's own.

    .. math:: \frac1D \sum_{d=1}^D \min \{ k : L(w \odot 1[\pi_d \le kW]) \le 1.1 \, L(w) \}

    Mean over five orders that all networks share: noise that removes rather than adds. A permutation of the neurons meets other
    orders, and moves it within its error. Below 1 the loss may rise and fall again: the first fraction that fails ends the grid.

    Args:
        loss_pruning: The search.

    Returns:
        The mean with its standard error over orders.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = LossPruning(one, one, one.bool(), torch.tensor([0.8, 1.0]), one.bool())
        >>> [round(part.item(), 6) for part in random_prunability(found)[:2]]
        [0.9, 0.1]
    """
    draws = loss_pruning.random.shape[-1]
    error = loss_pruning.random.std(-1) / draws**0.5
    return estimate(loss_pruning.random.mean(-1), standard_error=error, converged=loss_pruning.random_converged)


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
