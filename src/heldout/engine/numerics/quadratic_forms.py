"""Lower tails of quadratic forms in Gaussians, exact at any depth: their transform inverted along a curve of steepest descent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.records import Refusal

Floats = NDArray[np.float64]
HALVINGS = 120  # of an interval of logarithms 600 wide: 1e-34
SMALLEST, LARGEST = -300.0, 300.0  # of the logarithm of the saddle point, the level being 1
STEP, POINTS = (
    0.02,
    601,
)  # of the rule along the curve, to 12: 8e4 standard deviations, where a chi-square of one degree has died
BENDS = (1.0, 0.25, 0.06, 0.015, 0.004, 0.001, 0.0)  # of the steepest; beside a singularity it would climb again
RISE = 1.0  # of the exponent that is no cancellation yet
ENOUGH = 1e-11  # of disagreement: no other curve is tried
AGREE = 1e-7  # of the rule with the rule on every second point


class Tail(NamedTuple):
    """A probability in the log domain.

    Attributes:
        log_probability: ``[...]``; minus infinity where the form cannot be so small.
        settled: Whether the integral with half the points agrees, ``[...]``.
    """

    log_probability: Floats
    settled: NDArray[np.bool_]


def log_lower_tail(level: ArrayLike, variances: ArrayLike, offsets: ArrayLike, *, repeats: int = 1) -> Tail:
    r"""Probability that a quadratic form in Gaussians is at most so much.

    .. math:: P\Big[\sum_{i=1}^T \sum_{o=1}^O (\sqrt{\lambda_i} z_{io} + e_{io})^2 \le t\Big]
        = \frac{1}{2 \pi i} \int_{c - i\infty}^{c + i\infty} e^{K(s) - s t} \frac{ds}{-s}, \quad c < 0,

    .. math:: K(s) = \sum_i -\frac O2 \ln(1 - 2 \lambda_i s) + \frac{E_i s}{1 - 2 \lambda_i s}, \quad E_i = \sum_o e_{io}^2

    Imhof 1961 integrates along the imaginary axis, where a probability of e^-1000 is a difference of numbers near 1. Here the line
    goes through the saddle point c of the integrand and bends as the steepest descent does (Daniels 1954 takes its first term),
    so that nothing cancels: singularities are on the positive axis, which the curve never meets. The trapezoidal rule in
    :math:`\sinh^{-1}` of the distance converges exponentially. Near 1 the error is absolute.

    Args:
        level: t, ``[...]``.
        variances: lambda, ``[..., T]``, at least 0.
        offsets: E, ``[..., T]``, at least 0: squared, added over O.
        repeats: O.

    Returns:
        ``[...]``.

    Raises:
        Refusal: If a variance or an offset is negative.

    Example:
        Two variances of a half, nothing off centre: an exponential variable, whose chance to be below t is 1 - e^-t.

        >>> found = log_lower_tail(1e-9, [0.5, 0.5], [0.0, 0.0])
        >>> round(float(np.exp(found.log_probability)) / 1e-9, 6), bool(found.settled)
        (1.0, True)
    """
    scale, lam, off = (np.asarray(part, dtype=np.float64) for part in (level, variances, offsets))
    for name, part in (("variances", lam), ("offsets", off)):
        if (part < 0).any():
            raise Refusal(given=f"{name} had {part[part < 0].flat[0]:g}", expected="at least 0", do="square them")
    lam, off = np.broadcast_arrays(lam, off)
    shape = np.broadcast_shapes(scale.shape, lam.shape[:-1])
    t = np.broadcast_to(scale, shape).reshape(-1)
    rows = [np.broadcast_to(part, (*shape, lam.shape[-1])).reshape(t.size, -1) for part in (lam, off)]
    found = np.full(t.size, np.nan), np.ones(t.size, dtype=bool)
    known = np.isfinite(t) & np.isfinite(rows[0]).all(-1) & np.isfinite(rows[1]).all(-1)
    fixed = np.where(rows[0] > 0, 0.0, rows[1]).sum(-1)
    found[0][known & (t <= fixed)] = -np.inf
    for place in np.flatnonzero(known & (t > fixed)):
        found[0][place], found[1][place] = _inverted(rows[0][place] / t[place], rows[1][place] / t[place], repeats)
    return Tail(found[0].reshape(shape), found[1].reshape(shape))


def _inverted(lam: Floats, off: Floats, repeats: int) -> tuple[float, bool]:
    """One tail at level 1; points along the curve are an array of their own."""
    low, high = SMALLEST, LARGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        r = np.exp(middle)
        u = 1 + 2 * lam * r
        rising = (repeats * lam / u + off / u**2).sum() + 1 / r > 1
        low, high = (middle, high) if rising else (low, middle)
    r = float(np.exp((low + high) / 2))
    u = 1 + 2 * lam * r
    second = (2 * repeats * lam**2 / u**2 + 4 * lam * off / u**3).sum() + 1 / r**2
    third = (8 * repeats * lam**3 / u**3 + 24 * lam**2 * off / u**4).sum() + 2 / r**3
    steepest, width = third / (6 * second), second**-0.5
    best, least = np.nan, np.inf
    for share in BENDS:
        value, apart = _along(lam, off, repeats, r, share * steepest, width)
        if apart < least:
            best, least = value, apart
        if least <= ENOUGH:
            break
    return best, least <= AGREE


def _along(lam: Floats, off: Floats, repeats: int, r: float, bend: float, width: float) -> tuple[float, float]:
    """The integral along one curve through -r, and how far the one on every second point is from it."""
    v = STEP * np.arange(POINTS)
    y = width * np.sinh(v)
    s = -r + bend * y**2 + 1j * y
    over = 1 - 2 * lam * s[:, None]
    exponent = (-repeats / 2 * np.log(over) + off * s[:, None] / over).sum(-1) - s - np.log(-s)
    peak = exponent[0].real
    if not (exponent.real <= peak + RISE).all():
        return np.nan, np.inf
    height = (np.exp(exponent - peak) * (1 - 2j * bend * y)).real * width * np.cosh(v)
    height[0] /= 2
    fine, coarse = STEP * height.sum(), 2 * STEP * height[::2].sum()
    if not fine > 0:
        return np.nan, np.inf
    return float(min(peak + np.log(fine / np.pi), 0.0)), float(abs(fine - coarse) / fine)
