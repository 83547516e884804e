"""Curvature of the training loss: trace and largest eigenvalue of its Hessian, plain and relative to each weight's size."""

from heldout.catalog import measure
from heldout.engine.evidence.curvature import ROUNDING, Curvature, largest_of, trace_of
from heldout.records import Direction, Estimate

REALS = (float("-inf"), float("inf"))
SAME_FUNCTION = ("neuron-permutation", "logit-shift", "example-order")
PRODUCTS = "chunks enter by products alone: tests/engine/evidence/test_curvature_products.py cuts them"
LOOSE = {"is-the-same-alone": ROUNDING, "is-the-same-in-chunks": ROUNDING}


@measure(source="Yao et al. 2020 (PyHessian), arXiv 1912.07145; estimator of Meyer et al. 2021 with a Krylov sketch",
         direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=("logit-shift", "example-order"),
         waives=LOOSE)  # fmt: skip
def hessian_trace(hessian_curvature: Curvature) -> Estimate:
    r"""Trace of the Hessian of the mean training loss: twice the expected rise under small noise of equal size everywhere.

    .. math:: \operatorname{tr} \nabla^2 L(w) = \operatorname{tr}(Q^T H Q)
        + \frac1D \sum_d g_d^T (I - Q Q^T) H (I - Q Q^T) g_d

    With respect to all parameters as trained, batch norms in evaluation mode; Q spans the Krylov space that the search for the
    largest eigenvalue leaves, g are 12 vectors of random signs, whose spread is the standard error. Rescaled ReLU layers
    compute the same and have another trace: see ``adaptive-hessian-trace``. Where cross-entropy is driven to zero the Hessian
    goes to zero with it, whatever the network learned: it cannot tell a flat minimum from a confident one. Compare networks at
    equal training loss.

    Args:
        hessian_curvature: What the products with the Hessian gave.

    Returns:
        The trace with its standard error over the random vectors.

    Example:
        Two of a trace stand in the Krylov space; two vectors estimate the rest as 1 and 3.

        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> trace = hessian_trace(Curvature(number, number, yes, captured=number, remainders=torch.tensor([1.0, 3.0])))
        >>> trace.value.item(), trace.standard_error.item()
        (4.0, 1.0)
    """
    return trace_of(hessian_curvature)


@measure(source="Keskar et al. 2017; Lanczos with full reorthogonalisation (Parlett 1998)", range=REALS,
         direction=Direction.HIGHER_IS_WORSE, invariances=SAME_FUNCTION)  # fmt: skip
def hessian_top_eigenvalue(hessian_curvature: Curvature) -> Estimate:
    r"""Largest eigenvalue of the Hessian of the mean training loss: curvature along the sharpest direction.

    .. math:: \lambda_{\max}(\nabla^2 L(w)) \ge \theta, \quad \|H u - \theta u\| = r, \quad r \le 10^{-3} \theta

    The search stops by its residual r, never by a number of steps: within r of theta lies an eigenvalue, and theta's own error
    is near r squared over the gap to the next. Gradient descent is stable only below 2 over the learning rate, so that this
    number may tell the learning rate rather than the generalization. It moves when ReLU layers are rescaled, and vanishes with
    the cross-entropy.

    Args:
        hessian_curvature: What the products with the Hessian gave.

    Returns:
        Theta, with the interval from theta to theta + r; no number where the search has not settled in 64 steps.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> top = hessian_top_eigenvalue(Curvature(number, number / 1024, yes, captured=number, remainders=torch.zeros(2)))
        >>> top.value.item(), top.high.item()
        (2.0, 2.001953125)
    """
    return largest_of(hessian_curvature)


@measure(source="Andriushchenko et al. 2023, arXiv 2302.07011, limit of average-case adaptive sharpness", range=REALS,
         direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling", "example-order"),
         waives=LOOSE)  # fmt: skip
def adaptive_hessian_trace(adaptive_hessian_curvature: Curvature) -> Estimate:
    r"""Trace of the Hessian with respect to relative changes of the weights.

    .. math:: \operatorname{tr}(\mathrm{diag}(|w|) \, H \, \mathrm{diag}(|w|)) = \sum_i w_i^2 H_{ii}

    Rescaling ReLU layers does not move it. The average-case adaptive sharpness of radius rho tends to rho squared over two
    times it. It cannot see weights that are zero, and like the plain trace it goes to zero with the cross-entropy.

    Args:
        adaptive_hessian_curvature: What the products gave.

    Returns:
        The trace with its standard error over the random vectors.

    Example:
        >>> import torch
        >>> number, yes = torch.tensor(2.0), torch.tensor(True)
        >>> found = Curvature(number, number, yes, captured=number, remainders=torch.tensor([1.0, 3.0]))
        >>> adaptive_hessian_trace(found).value.item()
        4.0
    """
    return trace_of(adaptive_hessian_curvature)


@measure(source="Andriushchenko et al. 2023, arXiv 2302.07011, limit of worst-case adaptive sharpness", range=REALS,
         direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling", "neuron-permutation", "example-order"),
         waives={"is-the-same-in-chunks": PRODUCTS})  # fmt: skip
def adaptive_hessian_top_eigenvalue(adaptive_hessian_curvature: Curvature) -> Estimate:
    r"""Largest eigenvalue of the Hessian with respect to relative changes of the weights.

    .. math:: \lambda_{\max}(\mathrm{diag}(|w|) \, H \, \mathrm{diag}(|w|))

    Rescaling ReLU layers does not move it. At a critical point the worst-case adaptive sharpness of radius rho tends to rho
    squared over two times it; away from one the gradient comes first. It cannot see weights that are zero.

    Args:
        adaptive_hessian_curvature: What the products gave.

    Returns:
        The Ritz value, with its residual above it; no number where the search has not settled.

    Example:
        >>> import torch
        >>> number, no = torch.tensor(2.0), torch.tensor(False)
        >>> top = adaptive_hessian_top_eigenvalue(Curvature(number, number, no, number, remainders=torch.zeros(2)))
        >>> top.converged.item()  # a residual as large as the value: it is withdrawn
        False
    """
    return largest_of(adaptive_hessian_curvature)
