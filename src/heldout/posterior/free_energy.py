"""The local free energy, by integration over temperatures."""

import numpy as np

from heldout.catalog import observable
from heldout.engine.sampling.convergence import Floats

Series = list[Floats]


@observable(
    source="Thermodynamic integration (Ogata 1989; Gelman and Meng 1998), with the slope at every rung",
    unit_of_value="nats",
    undefined="the ladder of temperatures begins too low or is too wide for the integral: sample more rungs",
)
def free_energy(ladder_nbetas: Floats, ladder_excess: Series) -> tuple[float, Series]:
    r"""Bits that the data spend to find this solution: the local free energy less the loss at the centre.

    .. math:: -\ln \int e^{-n (L_n(w) - L_n(w^*))}\, \varphi(w)\, dw = \int_0^n E_t[L_n(w) - L_n(w^*)]\, dt

    The prior is the Gaussian that holds the chains. Between rungs :math:`t\, E_t[K]` is a cubic in ln t that has the right
    value and the
    right slope, :math:`t E_t[K] - t^2 \operatorname{Var}_t[K]`, at both ends; below the first rung the mean is taken as constant, and
    the answer is withdrawn if that part exceeds a tenth of the whole.

    Args:
        ladder_nbetas: t of the rungs, ascending, ``[R]``.
        ladder_excess: :math:`L_n(w) - L_n(w^*)` of every draw, R series ``[K, D]``.

    Returns:
        In nats; and for every rung a series whose mean the value follows.

    Example:
        >>> steps = np.geomspace(1e-3, 10.0, 9)  # K is exponential with mean 1 / (1 + t): Z is 1 / (1 + t)
        >>> u = -np.log(np.linspace(0.0005, 0.9995, 1000))[None]
        >>> round(free_energy(steps, [u / (1 + t) for t in steps])[0], 2)  # ln 11
        2.4
    """
    t = np.asarray(ladder_nbetas)
    means = np.array([series.mean() for series in ladder_excess])
    variances = np.array([series.var() for series in ladder_excess])
    heights, slopes = t * means, t * means - np.square(t) * variances
    widths = np.diff(np.log(t))
    # the integral of the cubic that has these ends and slopes
    pieces = widths * (heights[:-1] + heights[1:]) / 2 + np.square(widths) * (slopes[:-1] - slopes[1:]) / 12
    value = heights[0] + pieces.sum()
    trapezoids = (widths * (heights[:-1] + heights[1:]) / 2).sum()
    coarse = abs(pieces.sum() - trapezoids) > 0.25 * abs(value) or heights[0] > 0.1 * abs(value)
    ends = np.concatenate([[0.0], widths, [0.0]])
    on_height = 0.5 * (ends[:-1] + ends[1:])
    on_height[0] += 1.0
    on_slope = (np.square(ends[1:]) - np.square(ends[:-1])) / 12
    influences = []
    for k, series in enumerate(ladder_excess):
        away = series - means[k]
        second = np.square(away) - variances[k]
        influences.append(on_height[k] * t[k] * away + on_slope[k] * (t[k] * away - t[k] ** 2 * second))
    return float("nan") if coarse else float(value), influences
