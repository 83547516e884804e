"""How much the outputs change with the inputs: from above, from below, and against the law of robustness."""

from typing import Any

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.lipschitz import InputSteepness, LipschitzBounds
from heldout.engine.numerics.robustness_law import robustness_law
from heldout.records import Direction

SAME = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift")
SOURCES = {
    "product": "product of the layers' norms (Szegedy et al. 2014)",
    "pieces": "all ways to cut the chain (Combettes and Pesquet 2020)",
    "absolute": "product of absolute values",
    "quadratic": "quadratic constraints (Fazlyab et al. 2019; Xu and Sivaranjani 2024)",
}


@measure(source="; ".join(SOURCES.values()), direction=Direction.HIGHER_IS_WORSE, invariances=SAME)
def lipschitz_upper(lipschitz_bounds: LipschitzBounds) -> Tensor:
    r"""Upper bound on the Lipschitz constant of the raw outputs, the least of four.

    .. math:: \|f(x) - f(x')\|_2 \le L \|x - x'\|_2 \quad \text{for all } x, x'

    For chains of dense and convolutional layers with ReLUs, batch norms folded, each layer the matrix it is on the data. True of
    all inputs, in exact arithmetic; the profile ``lipschitz-by-bound`` has the four. Layers of more than 256 units do not have
    their quadratic bound lowered by descent, and it is then looser.

    Args:
        lipschitz_bounds: The four.

    Returns:
        The least.

    Example:
        >>> four = (torch.tensor(value) for value in (4.0, 3.0, 5.0, 2.0))
        >>> lipschitz_upper(LipschitzBounds(*four)).item()
        2.0
    """
    bounds = lipschitz_bounds
    return torch.stack([bounds.product, bounds.pieces, bounds.absolute, bounds.quadratic]).amin(0)


@measure(source="Definition; gradients as Novak et al. 2018", direction=Direction.HIGHER_IS_WORSE, invariances=SAME)
def lipschitz_lower(input_steepness: InputSteepness) -> Tensor:
    r"""Lower bound on the Lipschitz constant of the raw outputs: the largest Jacobian norm that was found.

    .. math:: \max_x \|J_f(x)\|_2

    over 32 training examples, 32 points between two of them, and four rounds of moves from each that were kept where the norm
    grew. Of more than 32 outputs, 32. The moves leave the data a little. It cannot see steeper places elsewhere: how much is
    missing, only ``lipschitz-upper-over-lower`` says.

    Args:
        input_steepness: What was found.

    Returns:
        The largest.

    Example:
        >>> lipschitz_lower(InputSteepness(torch.tensor(3.0), torch.tensor(2.0), torch.tensor(1.0))).item()
        3.0
    """
    return input_steepness.outputs


@measure(source="Definition; Novak et al. 2018, section 3.1, its maximum", direction=Direction.HIGHER_IS_WORSE,
         invariances=SAME)  # fmt: skip
def largest_input_jacobian(input_steepness: InputSteepness) -> Tensor:
    r"""Largest Jacobian norm of the raw outputs at a training example.

    .. math:: \max_i \|J_f(x_i)\|_2

    Over 32 training examples. In logits over input units: a network of twice the logits has twice as much.

    Args:
        input_steepness: What was found.

    Returns:
        The largest.

    Example:
        >>> largest_input_jacobian(InputSteepness(torch.tensor(3.0), torch.tensor(2.0), torch.tensor(1.0))).item()
        2.0
    """
    return input_steepness.at_examples


@measure(source="Definition", direction=Direction.NEITHER, range=(1.0 - 1e-6, float("inf")),
         undefined="no input changes the outputs", invariances=(*SAME, "logit-scale"))  # fmt: skip
def lipschitz_upper_over_lower(lipschitz_bounds: LipschitzBounds, input_steepness: InputSteepness) -> Tensor:
    r"""Upper over lower bound on the Lipschitz constant: how much is not known.

    .. math:: L_\text{upper} \,/\, L_\text{lower} \ge 1

    Args:
        lipschitz_bounds: From the weights.
        input_steepness: From gradients.

    Returns:
        The ratio; NaN where every gradient that was found is zero.

    Example:
        >>> bounds = LipschitzBounds(*(torch.tensor(4.0),) * 4)
        >>> lipschitz_upper_over_lower(bounds, InputSteepness(torch.tensor(2.0), torch.tensor(2.0), torch.tensor(1.0))).item()
        2.0
    """
    found = input_steepness.outputs / lipschitz_upper(lipschitz_bounds)
    return torch.where(found == 0, float("nan"), 1.0 / found)


@measure(source="Bubeck and Sellke 2021, theorem 1, its constant set to 1", direction=Direction.NEITHER,
         invariances=("layer-rescaling", "neuron-permutation", "logit-shift"))  # fmt: skip
def robustness_law_ratio(
    input_steepness: InputSteepness, train_size: int, input_entries: int, parameter_count: int
) -> Tensor:
    r"""Steepest gradient that was found over what the law of robustness asks of a network that fits noise.

    .. math:: \max_{x, c} \frac{s\, \|\nabla p_c(x)\|_2}{\sigma_c} \Big/ \sqrt{\frac{n d}{p}}

    ``p_c`` is the probability of class c (of a regression, an output), ``s^2`` the inputs' total variance, ``sigma_c`` the standard
    deviation of the label, d the entries of an input, p the parameters, n the examples. Well below 1 a network is smoother than
    functions of so many parameters can be that fit labels of nothing but noise; above, the law says nothing. Its own constant
    is not known and d is an upper limit of the dimension in which inputs concentrate: read it as a trend over sizes.

    Args:
        input_steepness: What was found.
        train_size: n.
        input_entries: d.
        parameter_count: p.

    Returns:
        The ratio.

    Example:
        >>> found = InputSteepness(torch.tensor(9.0), torch.tensor(9.0), torch.tensor(4.0))
        >>> robustness_law_ratio(found, train_size=100, input_entries=25, parameter_count=625).item()
        2.0
    """
    return input_steepness.laws / float(robustness_law(train_size, input_entries, parameter_count))


@profile(source="; ".join(SOURCES.values()))
def lipschitz_by_bound(lipschitz_bounds: LipschitzBounds, input_steepness: InputSteepness) -> dict[str, Any]:
    """Every upper bound on the Lipschitz constant, and the lower ones from gradients that were found.

    Args:
        lipschitz_bounds: From the weights.
        input_steepness: From gradients.

    Returns:
        One row a member and bound: ``side`` is upper or lower.

    Example:
        >>> found = InputSteepness(*(torch.tensor([1.0]),) * 3)
        >>> lipschitz_by_bound(LipschitzBounds(*(torch.tensor([2.0]),) * 4), found)["value"]
        [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]
    """
    upper = {words: getattr(lipschitz_bounds, name) for name, words in SOURCES.items()}
    lower = {"steepest found": input_steepness.outputs, "steepest training example": input_steepness.at_examples}
    values = torch.stack([value.double().cpu() for value in (*upper.values(), *lower.values())], dim=1)
    return {
        "member": [m for m in range(len(values)) for _ in range(values.shape[1])],
        "bound": [*upper, *lower] * len(values),
        "side": (["upper"] * len(upper) + ["lower"] * len(lower)) * len(values),
        "value": values.flatten().tolist(),
    }
