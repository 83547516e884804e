"""Margins of the training examples: true logit minus the best other logit, with its sign."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.records import Direction

QUANTILES = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")
ANYWHERE = (float("-inf"), float("inf"))


@measure(source="Jiang et al. 2020, section 4.2: gamma", direction=Direction.HIGHER_IS_BETTER, range=ANYWHERE,
         invariances=SAME_FUNCTION)  # fmt: skip
def margin_p10(margin_10th_percentile: Float[Tensor, ""]) -> Tensor:
    r"""The 10th percentile gamma of the training margins, interpolated linearly; negative if over a tenth is misclassified.

    .. math:: \gamma = Q_{0.1}\Bigl(f(x_i)_{y_i} - \max_{k \ne y_i} f(x_i)_k\Bigr)

    It cannot see the scale of the logits, which training raises without end: compare at equal training loss.

    Args:
        margin_10th_percentile: Gamma.

    Returns:
        Gamma.

    Example:
        >>> margin_p10(torch.tensor(-0.5)).item()
        -0.5
    """
    return margin_10th_percentile


@measure(source="Definition: median of the training margins", direction=Direction.HIGHER_IS_BETTER, range=ANYWHERE,
         invariances=SAME_FUNCTION)  # fmt: skip
def margin_median(margins: Float[Tensor, " N"]) -> Tensor:
    r"""The median of the training margins.

    .. math:: Q_{0.5}\Bigl(f(x_i)_{y_i} - \max_{k \ne y_i} f(x_i)_k\Bigr)

    It cannot see the scale of the logits, nor the half of the examples that lies below.

    Args:
        margins: Margins of the training examples.

    Returns:
        The median, the mean of the two middle ones where their number is even.

    Example:
        >>> margin_median(torch.tensor([-9.0, 1.0, 2.0, 5.0])).item()
        1.5
    """
    return _quantile(margins, 0.5)


@measure(source="Jiang et al. 2020, eq. (22)", direction=Direction.HIGHER_IS_WORSE, invariances=SAME_FUNCTION,
         undefined="the 10th percentile of the training margins is not positive: over a tenth of the training data is "
         "misclassified")  # fmt: skip
def inverse_margin(margin_10th_percentile: Float[Tensor, ""]) -> Tensor:
    r"""One over the squared margin gamma; without a value where gamma is not positive.

    .. math:: 1 / \gamma^2, \quad \gamma = \text{10th percentile of the training margins}

    Squaring would turn a negative margin, an error, into a large margin, a success; so there is no number then. It
    cannot see the scale of the weights that produced the logits.

    Args:
        margin_10th_percentile: Gamma.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> inverse_margin(torch.tensor(2.0)).item()
        0.25
        >>> inverse_margin(torch.tensor(-2.0)).item()
        nan
    """
    return torch.where(margin_10th_percentile > 0, margin_10th_percentile.double().square().reciprocal(), float("nan"))


@profile(source="Definition: quantiles of the training margins, interpolated linearly")
def margin_distribution(margins: Float[Tensor, "M N"]) -> dict[str, Tensor]:
    """Quantiles of the training margins of every network.

    Args:
        margins: Margins of the training examples.

    Returns:
        Columns ``member``, ``quantile`` and ``margin``, the quantiles of a member in rising order.

    Example:
        >>> table = margin_distribution(torch.tensor([[3.0, 1.0]]))
        >>> table["margin"][[0, -1]].tolist()
        [1.0, 3.0]
    """
    ordered = margins.double().sort(dim=-1).values
    values = torch.stack([_sorted_quantile(ordered, quantile) for quantile in QUANTILES], dim=-1)
    return {
        "member": torch.arange(len(margins)).repeat_interleave(len(QUANTILES)),
        "quantile": torch.tensor(QUANTILES, dtype=torch.float64).repeat(len(margins)),
        "margin": values.flatten(),
    }


def _quantile(values: Tensor, quantile: float) -> Tensor:
    return _sorted_quantile(values.double().sort(dim=-1).values, quantile)


def _sorted_quantile(ordered: Tensor, quantile: float) -> Tensor:
    # torch.quantile refuses more than 16 million entries; a sort does not.
    position = quantile * (ordered.shape[-1] - 1)
    below = int(position)
    above = min(below + 1, ordered.shape[-1] - 1)
    return ordered[..., below].lerp(ordered[..., above], position - below)
