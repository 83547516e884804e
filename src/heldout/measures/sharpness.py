"""How much the training loss rises near the network, distances being measured against the size of each weight."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.ascent import AscentLosses
from heldout.records import Direction, Estimate, estimate

REALS = (float("-inf"), float("inf"))


@measure(source="Kwon et al. 2021 (ASAM), eq. (5), one-step maximiser, rho = 0.5, eta = 0.01", range=REALS,
         direction=Direction.HIGHER_IS_WORSE, invariances=("neuron-permutation", "example-order"),
         undefined="the gradient of the mean training loss is exactly zero: there is no direction of ascent")  # fmt: skip
def asam_sharpness(ascent_losses: AscentLosses) -> Tensor:
    r"""Rise of the mean training loss after one adaptive ascent step.

    .. math:: L(w + \epsilon) - L(w), \quad \epsilon = \rho \frac{T_w^2 \nabla L}{\|T_w \nabla L\|_2},
        \quad T_w = \mathrm{diag}(|w| + \eta), \quad \rho = 0.5, \; \eta = 0.01

    Over all parameters as they were trained, biases and normalisation scales included. One step is a lower bound on the
    maximum in the ball, and at this radius the loss is not its own quadratic approximation. Larger logits make it larger; it
    cannot tell a sharp minimum from a confident one.

    Args:
        ascent_losses: Increase of the loss, and the length of the scaled gradient.

    Returns:
        The increase; NaN where the gradient vanishes.

    Example:
        >>> import torch
        >>> asam_sharpness(AscentLosses(increase=torch.tensor(0.25), length=torch.tensor(3.0))).item()
        0.25
    """
    return ascent_losses.increase.where(ascent_losses.length > 0, float("nan"))


@measure(source="Andriushchenko et al. 2023, average-case adaptive sharpness, c = |w|, rho = 0.1", range=REALS,
         direction=Direction.HIGHER_IS_WORSE)  # fmt: skip
def expected_sharpness(noise_losses: Float[Tensor, " D"]) -> Estimate:
    r"""Mean rise of the training loss under Gaussian noise of a tenth of each weight's size.

    .. math:: E_{\delta \sim N(0, \rho^2 \mathrm{diag}(w^2))} L(w + \delta) - L(w), \quad \rho = 0.1

    Estimated from pairs of opposite draws, each pair on a random subset of the training data. Tends to
    ``rho^2 / 2 tr(diag(w) H diag(w))`` for small rho, H being the Hessian. It cannot see rare steep directions.

    Args:
        noise_losses: Rise of the loss, one number a pair.

    Returns:
        Mean and standard error.

    Example:
        >>> import torch
        >>> rise = expected_sharpness(torch.tensor([1.0, 3.0], dtype=torch.float64))
        >>> rise.value.item(), rise.standard_error.item()
        (2.0, 1.0)
    """
    draws = noise_losses.shape[0]
    spread = (noise_losses - noise_losses.mean()).square().sum() / max(draws - 1, 1)
    alone = float("nan") if draws == 1 else 1.0  # one pair says nothing of its spread
    return estimate(noise_losses.mean(), standard_error=alone * (spread / draws).sqrt())
