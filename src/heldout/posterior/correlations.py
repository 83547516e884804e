"""Correlation functions of the posterior: how the losses of examples move together from draw to draw."""

from typing import NamedTuple

import numpy as np

from heldout.catalog import observable
from heldout.engine.sampling.convergence import Floats, split

BLOCK = 2**22  # products held at once


@observable(
    source="Watanabe 2009: n^2 Var[L_n], the heat capacity, over V_n, the functional variance", unit_of_value=""
)
def loss_coherence(draw_losses: Floats) -> tuple[float, Floats]:
    r"""How far the losses of the examples rise and fall together over the posterior.

    .. math:: \frac{\operatorname{Var}_w[\sum_i \ell_i(w)]}{\sum_i \operatorname{Var}_w[\ell_i(w)]}

    1 if no two examples are correlated, n if all move as one; below 1 if what one gains others lose. 1 plus it takes the mean
    correlation of pairs, weighted by their spreads, times n - 1.

    Args:
        draw_losses: ``[K, D, N]``.

    Returns:
        The ratio, and the influence of every draw.

    Example:
        >>> together = np.array([[[1.0, 1.0], [3.0, 3.0]]])
        >>> loss_coherence(together)[0], loss_coherence(together * [1.0, -1.0])[0]
        (2.0, 0.0)
    """
    away = draw_losses - draw_losses.mean((0, 1))
    total, own = np.square(away.sum(2)), np.square(away).sum(2)
    value = total.mean() / own.mean()
    return float(value), (total - value * own) / own.mean()


class Correlations(NamedTuple):
    """Second moments over the posterior of N losses with M others.

    Attributes:
        covariance: ``[N, M]``.
        covariance_error: Its Monte-Carlo standard error.
        correlation: Pearson's, NaN where a loss does not vary, ``[N, M]``.
        correlation_error: Its Monte-Carlo standard error.
    """

    covariance: Floats
    covariance_error: Floats
    correlation: Floats
    correlation_error: Floats


def loss_correlations(draw_losses: Floats, others: Floats | None = None) -> Correlations:
    r"""Covariance and correlation over the posterior of every example's loss with every other.

    .. math:: C_{ij} = E_w[\ell_i \ell_j] - E_w[\ell_i] E_w[\ell_j], \quad \rho_{ij} = C_{ij} / \sqrt{C_{ii} C_{jj}}

    Error bars come from the spread between halves of chains: they are right where a half is long beside the correlation time,
    which is what the diagnostics of convergence ask.

    Args:
        draw_losses: ``[K, D, N]``.
        others: Losses of other examples at the same draws, ``[K, D, M]``; the same ones unless given.

    Returns:
        The moments.

    Example:
        >>> draws = np.array([[[1.0, 5.0], [3.0, 3.0], [1.0, 5.0], [3.0, 3.0]]])
        >>> found = loss_correlations(draws)
        >>> found.covariance.tolist(), found.correlation[0, 1].round(6)
        ([[1.0, -1.0], [-1.0, 1.0]], np.float64(-1.0))
    """
    left, right = _batches(draw_losses), _batches(draw_losses if others is None else others)
    length = left.shape[1]
    squares, other_squares = np.square(left).mean(1), np.square(right).mean(1)  # of each batch
    spread, other_spread = squares.mean(0), other_squares.mean(0)
    rows = max(1, BLOCK // (len(left) * right.shape[2]))
    blocks = []
    for start in range(0, left.shape[2], rows):
        part = slice(start, start + rows)
        products = np.matmul(left[:, :, part].transpose(0, 2, 1), right) / length  # [batches, rows, M]
        covariance = products.mean(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 1 / np.sqrt(np.multiply.outer(spread[part], other_spread))
            correlation = np.where(np.isfinite(scale), covariance * scale, np.nan)
            relative = (squares[:, part] / spread[part])[:, :, None] + (other_squares / other_spread)[:, None, :]
            bent = np.where(np.isfinite(scale), products * scale - correlation * relative / 2, np.nan)
        blocks.append((covariance, _error(products), correlation, _error(bent)))
    return Correlations(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))


def bayesian_influence(draw_losses: Floats, observed: Floats, beta: float) -> tuple[Floats, Floats]:
    r"""How the posterior mean of an observable answers to more weight on an example: the Bayesian influence function.

    .. math:: \frac{d}{d\epsilon_i} E_\epsilon[\phi] \Big|_0 = -\beta \operatorname{Cov}_w(\ell_i, \phi), \quad
        p_\epsilon(w) \propto \varphi(w)\, e^{-\beta \sum_i (1 + \epsilon_i) \ell_i(w)}

    (Kreer et al. 2025). No Hessian is inverted, and so it holds for singular models; it is exact to first order, and at
    :math:`\epsilon_i = -1`, leaving the example out, an extrapolation. Negative: the example helps.

    Args:
        draw_losses: Of the training examples, ``[K, D, N]``.
        observed: Observables at the same draws, such as the losses of test examples, ``[K, D, M]``.
        beta: Inverse temperature that was sampled.

    Returns:
        The influences ``[N, M]``, and their Monte-Carlo standard errors.

    Example:
        >>> draws = np.array([[[1.0], [3.0], [1.0], [3.0]]])
        >>> bayesian_influence(draws, 2 * draws, 0.5)[0].tolist()
        [[-1.0]]
    """
    found = loss_correlations(draw_losses, observed)
    return -beta * found.covariance, beta * found.covariance_error


def _batches(losses: Floats) -> Floats:
    """Halves of chains about the mean of all, ``[2 K, D // 2, N]``."""
    halves = split(losses)
    return halves - halves.mean((0, 1))


def _error(batches: Floats) -> Floats:
    return batches.std(0, ddof=1) / np.sqrt(len(batches))
