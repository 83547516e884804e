"""Diagnostics of chains: rank-normalised split R-hat, effective sample sizes, Monte-Carlo errors."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]


def split(series: Floats) -> Floats:
    """Halves of chains as chains of their own.

    Args:
        series: ``[K, D]``.

    Returns:
        ``[2 K, D // 2]``; a middle draw is left out.
    """
    half = series.shape[1] // 2
    return np.concatenate([series[:, :half], series[:, series.shape[1] - half :]])


def rank_normalised(series: Floats) -> Floats:
    r"""Normal scores of the draws' ranks among all chains (Vehtari et al. 2021, equation 14).

    .. math:: z = \Phi^{-1}\left(\frac{r - 3/8}{S + 1/4}\right)

    Args:
        series: ``[K, D]``.

    Returns:
        ``[K, D]``.
    """
    ranks = rankdata(series, method="average").reshape(series.shape)
    return norm.ppf((ranks - 0.375) / (series.size + 0.25))


def r_hat(series: Floats) -> float:
    r"""Rank-normalised split R-hat, the larger of that of location and that of scale (Vehtari et al. 2021).

    .. math:: \hat R = \sqrt{\frac{\frac{n - 1}{n} W + \frac{1}{n} B}{W}}

    Args:
        series: ``[K, D]``.

    Returns:
        1 at equilibrium; NaN with fewer than four draws or no variance.

    Example:
        >>> still = np.sin(np.arange(400.0)).reshape(4, 100)
        >>> r_hat(still) < 1.01 < r_hat(still + np.arange(4.0)[:, None])
        True
    """
    if series.shape[1] < 4 or np.ptp(series) == 0:
        return float("nan")
    halves = split(series)
    folded = np.abs(halves - np.median(halves))
    return float(max(_plain_r_hat(rank_normalised(halves)), _plain_r_hat(rank_normalised(folded))))


def _plain_r_hat(series: Floats) -> float:
    length = series.shape[1]
    within = series.var(axis=1, ddof=1).mean()
    between = length * series.mean(axis=1).var(ddof=1)
    if within == 0:
        return float("inf") if between > 0 else float("nan")
    return float(np.sqrt((length - 1) / length + between / (length * within)))


def effective_size(series: Floats) -> float:
    r"""Effective sample size by Geyer's initial monotone sequence over chains (Vehtari et al. 2021, equations 10 to 13).

    .. math:: S_{\mathrm{eff}} = \frac{S}{-1 + 2 \sum_t \hat P_t}, \quad \hat P_t = \hat\rho_{2t} + \hat\rho_{2t+1}, \quad
        \hat\rho_t = 1 - \frac{W - \overline{s_m^2 \hat\rho_{t,m}}}{\widehat{\mathrm{var}}^+}

    Args:
        series: ``[K, D]``.

    Returns:
        At most ``S log10 S``; S where nothing varies.
    """
    if series.shape[1] < 4 or np.ptp(series) == 0:
        return float(series.size)
    time, _ = correlation_time(series)
    return float(series.size / max(time, 1 / np.log10(series.size)))


def correlation_time(series: Floats) -> tuple[float, int]:
    """Draws that one independent draw is worth, by Geyer's initial monotone sequence over chains.

    Args:
        series: ``[K, D]``, of at least four draws that vary.

    Returns:
        The time, and the last lag whose correlation it holds.
    """
    chains, length = series.shape
    covariances = _autocovariances(series)
    within = (covariances[:, 0] * length / (length - 1)).mean()
    total = within * (length - 1) / length
    if chains > 1:
        total += series.mean(axis=1).var(ddof=1)
    correlations = 1 - (within - covariances.mean(axis=0)) / total
    correlations[0] = 1.0
    pairs = correlations[: length - length % 2].reshape(-1, 2).sum(axis=1)
    positive = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    positive = max(1, min(positive, (length - 1) // 2))
    kept = np.minimum.accumulate(pairs[:positive])
    # the even term after the last pair, where it is positive, makes chains with negative correlation come out right
    after = correlations[2 * positive] if 2 * positive < length else 0.0
    return float(-1 + 2 * kept.sum() + max(0.0, float(after))), 2 * positive - 1


def bulk_size(series: Floats) -> float:
    """Effective sample size of the bulk: that of the rank-normalised halves.

    Args:
        series: ``[K, D]``.

    Returns:
        The size.
    """
    return effective_size(rank_normalised(split(series)))


def tail_size(series: Floats) -> float:
    """Effective sample size of the tails: the smaller one of lying below the 5 % and the 95 % quantile.

    Args:
        series: ``[K, D]``.

    Returns:
        The size.
    """
    low, high = np.quantile(series, [0.05, 0.95])
    return min(effective_size(split((series <= edge).astype(np.float64))) for edge in (low, high))


def monte_carlo_error(series: Floats) -> float:
    r"""Standard error of the mean over all draws.

    .. math:: \mathrm{MCSE} = \sqrt{\widehat{\mathrm{var}}(x) / S_{\mathrm{eff}}}

    For a function of several means it takes the series of its influence, which is the function's linear part.

    Args:
        series: ``[K, D]``.

    Returns:
        The error; 0 where nothing varies.

    Example:
        >>> round(monte_carlo_error(np.random.default_rng(0).normal(size=(4, 10000))), 3)
        0.005
    """
    return float(np.sqrt(series.var(ddof=1) / effective_size(split(series))))


def _autocovariances(series: Floats) -> Floats:
    length = series.shape[1]
    centred = series - series.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * length, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, n=2 * length, axis=1)[:, :length] / length
