"""Curvature without the network's own: the Gauss-Newton matrix, which for the usual losses is the Fisher matrix."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.curvature import ROUNDING, Curvature, largest_of, trace_of
from heldout.engine.evidence.curvature_spectra import Quadrature
from heldout.records import Direction, Estimate, estimate

CLOSE = 0.02  # how far apart the two quadratures may be, against the value
PRODUCTS = "chunks enter by products alone: tests/engine/evidence/test_curvature_products.py cuts them"
LOOSE = {"is-the-same-alone": ROUNDING, "is-the-same-in-chunks": ROUNDING}


@measure(source="Schraudolph 2002; Martens 2020, arXiv 1412.1193, section 9: the Fisher matrix of the usual losses",
         direction=Direction.HIGHER_IS_WORSE, invariances=("logit-shift", "example-order"),
         waives=LOOSE)  # fmt: skip
def ggn_trace(ggn_curvature: Curvature) -> Estimate:
    r"""Trace of the generalised Gauss-Newton matrix of the mean training loss.

    .. math:: \operatorname{tr} \frac1N \sum_i J_i^T \, \nabla^2_z \ell(z_i, y_i) \, J_i

    J is the Jacobian of the outputs. For cross-entropy it is the trace of the Fisher matrix, for squared error twice it; no
    label enters. It is the Hessian's trace less the curvature of the network itself, weighted with what is left of the errors,
    so that the two agree where the training data are fitted. There it goes to zero with ``p (1 - p)``: it cannot tell a flat
    minimum from a confident one.

    Args:
        ggn_curvature: What the products with the matrix gave.

    Returns:
        The trace with its standard error over 12 random vectors.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> ggn_trace(Curvature(number, number, yes, captured=number, remainders=torch.tensor([1.0, 3.0]))).value.item()
        4.0
    """
    return trace_of(ggn_curvature)


@measure(source="Schraudolph 2002; Martens 2020, arXiv 1412.1193", direction=Direction.HIGHER_IS_WORSE,
         invariances=("neuron-permutation", "logit-shift", "example-order"),
         waives={"is-the-same-in-chunks": PRODUCTS})  # fmt: skip
def ggn_top_eigenvalue(ggn_curvature: Curvature) -> Estimate:
    r"""Largest eigenvalue of the generalised Gauss-Newton matrix of the mean training loss.

    .. math:: \lambda_{\max}(G) \ge \theta, \quad \|G u - \theta u\| \le 10^{-3} \theta

    For cross-entropy, that of the Fisher matrix: the direction in which the predictions change most. It moves when ReLU layers
    are rescaled, and cannot see the curvature of the network itself, which the Hessian has besides.

    Args:
        ggn_curvature: What the products with the matrix gave.

    Returns:
        The Ritz value, with its residual above it; no number where the search has not settled in 64 steps.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> ggn_top_eigenvalue(Curvature(number, number, yes, captured=number, remainders=torch.zeros(2))).value.item()
        2.0
    """
    return largest_of(ggn_curvature)


@measure(source="Andriushchenko et al. 2023, arXiv 2302.07011, with the Gauss-Newton matrix for the Hessian",
         direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling", "example-order"),
         waives=LOOSE)  # fmt: skip
def adaptive_ggn_trace(adaptive_ggn_curvature: Curvature) -> Estimate:
    r"""Trace of the Gauss-Newton matrix with respect to relative changes of the weights.

    .. math:: \sum_i w_i^2 G_{ii}

    How much the predictions change, to second order in the loss, when every weight changes by a share of its own. Rescaling
    ReLU layers does not move it; weights that are zero are not seen.

    Args:
        adaptive_ggn_curvature: What the products gave.

    Returns:
        The trace with its standard error over the random vectors.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> found = Curvature(number, number, yes, captured=number, remainders=torch.tensor([1.0, 3.0]))
        >>> adaptive_ggn_trace(found).standard_error.item()
        1.0
    """
    return trace_of(adaptive_ggn_curvature)


@measure(source="Andriushchenko et al. 2023, arXiv 2302.07011, with the Gauss-Newton matrix for the Hessian",
         direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling", "neuron-permutation", "example-order"),
         waives={"is-the-same-in-chunks": PRODUCTS})  # fmt: skip
def adaptive_ggn_top_eigenvalue(adaptive_ggn_curvature: Curvature) -> Estimate:
    r"""Largest eigenvalue of the Gauss-Newton matrix with respect to relative changes of the weights.

    .. math:: \lambda_{\max}(\mathrm{diag}(|w|) \, G \, \mathrm{diag}(|w|))

    Rescaling ReLU layers does not move it; weights that are zero are not seen.

    Args:
        adaptive_ggn_curvature: What the products gave.

    Returns:
        The Ritz value, with its residual above it; no number where the search has not settled.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> found = Curvature(number, number / 1024, yes, captured=number, remainders=torch.zeros(2))
        >>> adaptive_ggn_top_eigenvalue(found).high.item()
        2.001953125
    """
    return largest_of(adaptive_ggn_curvature)


@measure(source="MacKay 1992; Maddox et al. 2020, arXiv 2003.02139, eq. (2)", direction=Direction.HIGHER_IS_WORSE,
         invariances=("logit-shift", "example-order"),
         waives={"is-the-same-in-chunks": PRODUCTS})  # fmt: skip
def effective_dimensionality(ggn_quadrature: Quadrature, *, alpha: float = 1.0) -> Estimate:
    r"""How many directions of the weights the training data determine against a unit Gaussian prior.

    .. math:: N_{\mathrm{eff}}(\alpha) = \sum_{j=1}^P \frac{\lambda_j}{\lambda_j + \alpha}

    Lambda are the eigenvalues of the Gauss-Newton matrix of the *summed* training loss, alpha is the prior's precision. From
    random vectors by Lanczos quadrature; between Gauss quadrature, which lies above each vector's integral, and Gauss-Radau,
    which lies below it, stands the value. At interpolation cross-entropy has no curvature left and the number falls for a
    network that is merely confident; it also moves when ReLU layers are rescaled, the prior being the same for all weights.

    Args:
        ggn_quadrature: The spectrum as six random vectors see it.
        alpha: The prior's precision.

    Returns:
        The number with its standard error over the vectors; withdrawn where the two quadratures are further apart than 2 % of
        the value and than that error.

    Example:
        One eigenvalue of the mean loss over ten examples is 0.1, another 0: 1 / (1 + 1) + 0 = 1/2.

        >>> import torch
        >>> nodes, weights = torch.tensor([[0.0, 0.1]]).expand(2, 2), torch.tensor([[0.5, 0.5]]).expand(2, 2)
        >>> number = effective_dimensionality(Quadrature(nodes, weights, nodes, weights, size=2, examples=10))
        >>> round(number.value.item(), 6)
        0.5
    """
    inner, outer = (
        ggn_quadrature.size * (weights * (values := ggn_quadrature.examples * nodes) / (values + alpha)).sum(-1)
        for nodes, weights in (
            (ggn_quadrature.values, ggn_quadrature.weights),
            (ggn_quadrature.outer_values, ggn_quadrature.outer_weights),
        )
    )
    numbers = (inner + outer) / 2
    draws, value = numbers.shape[0], numbers.mean()
    spread = ((numbers - value).square().sum() / (draws - 1) / draws).sqrt()
    apart = (inner - outer).mean().abs()
    return estimate(value, standard_error=spread, converged=apart <= torch.maximum(CLOSE * value.abs(), spread))


@measure(source="Kunstner et al. 2019, arXiv 1905.12558, section 2.3: the empirical Fisher matrix",
         direction=Direction.HIGHER_IS_WORSE, invariances=("neuron-permutation", "logit-shift", "example-order"))  # fmt: skip
def empirical_fisher_trace(gradient_norms: Float[Tensor, " N"]) -> Tensor:
    r"""Trace of the empirical Fisher matrix: the mean squared norm of the examples' gradients.

    .. math:: \frac1N \sum_i \|\nabla \ell(z_i, y_i)\|^2

    It takes the labels where the Fisher matrix takes the network's own answers, and so is not curvature: it agrees with
    ``ggn-trace`` only where the predicted probabilities are right, and is far below it where the training data are fitted.

    Args:
        gradient_norms: Norm of every example's gradient.

    Returns:
        The trace.

    Example:
        >>> import torch
        >>> empirical_fisher_trace(torch.tensor([1.0, 3.0])).item()
        5.0
    """
    return gradient_norms.double().square().mean()
