"""When a noisy series has left a level: means of windows of many widths against a bar, in standard errors, row by row as rows come."""

import numpy as np

WIDTHS = (1, 2, 4, 8, 16)  # at powers of two some width is within a factor sqrt(2) of the best one's power (Lai 1995)
RECENT = 16  # residuals of which the noise is the median: it may change along a training
SCALE = 1.4826  # of the median of absolute values, to a Gaussian's standard deviation


def window_means(values: np.ndarray, widths: tuple[int, ...] = WIDTHS) -> np.ndarray:
    """Mean of the last w values at every row, for several w.

    Args:
        values: ``[T]``, finite.
        widths: w.

    Returns:
        ``[len(widths), T]``; NaN where there are fewer than w values.

    Example:
        >>> window_means(np.array([1.0, 3.0, 5.0]), (1, 2)).tolist()
        [[1.0, 3.0, 5.0], [nan, 2.0, 4.0]]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = np.full((len(widths), len(values)), np.nan)
    for row, width in enumerate(widths):
        if width <= len(values):
            means[row, width - 1 :] = (sums[width:] - sums[:-width]) / width
    return means


def running_noise(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    r"""Standard deviation of a series about its own smooth course, from the rows so far.

    A value's residual is its distance from the line between its neighbours, ``r_i = y_i - a y_{i-1} - (1 - a) y_{i+1}``, over
    ``sqrt(1 + a^2 + (1 - a)^2)``: exactly 0 on any straight line. The noise at row t is 1.4826 times the median of the last
    sixteen ``|r_i|``, ``i < t``, and of few residuals the more the fewer: their median has ``1 + 2 / m`` in place of 1.

    It cannot see noise that is shared by neighbouring rows.

    Args:
        values: ``[T]``, finite.
        places: Where they lie, ``[T]``, ascending.

    Returns:
        ``[T]``; infinite at the first two rows, where nothing is known of it.

    Example:
        >>> running_noise(np.array([0.0, 1.0, 2.0, 3.0]), np.arange(4.0)).tolist()
        [inf, inf, 0.0, 0.0]
    """
    noise = np.full(len(values), np.inf)
    if len(values) < 3:
        return noise
    share = (places[2:] - places[1:-1]) / (places[2:] - places[:-2])
    residuals = np.abs(values[1:-1] - share * values[:-2] - (1 - share) * values[2:])
    residuals /= np.sqrt(1 + share**2 + (1 - share) ** 2)
    padded = np.concatenate([np.full(RECENT - 1, np.nan), residuals])
    recent = np.lib.stride_tricks.sliding_window_view(padded, RECENT)
    count = np.minimum(np.arange(1, len(residuals) + 1), RECENT)
    noise[2:] = SCALE * np.nanmedian(recent, axis=1) * (1 + 2 / count)
    return noise


def earlier_extremes(means: np.ndarray, begin: int = 0, widths: tuple[int, ...] = WIDTHS) -> np.ndarray:
    """The lowest earlier window mean of the same width that shares no row with the last window.

    Args:
        means: From :func:`window_means`.
        begin: First row that a window may hold.
        widths: Theirs.

    Returns:
        ``[len(widths), T]``; NaN where there is none.

    Example:
        >>> earlier_extremes(window_means(np.array([3.0, 1.0, 2.0]), (1,)), widths=(1,)).tolist()
        [[nan, 3.0, 1.0]]
    """
    lowest = np.full_like(means, np.nan)
    for row, width in enumerate(widths):
        first = begin + width - 1
        if first + width < means.shape[1]:
            lowest[row, first + width :] = np.minimum.accumulate(means[row, first : means.shape[1] - width])
    return lowest


def excess(
    means: np.ndarray, bars: np.ndarray, noise: np.ndarray, shared: np.ndarray, widths: tuple[int, ...] = WIDTHS
) -> tuple[np.ndarray, np.ndarray]:
    r"""By how many standard errors the latest level lies above a bar, the width that shows it most taken at each row.

    .. math:: z_t = \max_w \frac{\bar y_{t,w} - b_{t,w}}{\sqrt{2 \sigma_t^2 / w + s_t^2}}

    This is the window-limited generalised likelihood ratio of Lai (1995), ``z^2 / 2``, with its sign, for a bar that is itself
    estimated from as many rows, and with an error ``s`` that no window averages away.

    Args:
        means: ``[W, T]`` from :func:`window_means`.
        bars: ``[W, T]``; NaN where there is none.
        noise: sigma, ``[T]``.
        shared: s, ``[T]``.
        widths: w, those of the means.

    Returns:
        z and the width that attains it, ``[T]`` each; z is minus infinity where no window is whole or no bar is.

    Example:
        >>> means = window_means(np.array([0.0, 0.0, 3.0, 3.0]), (1, 2))
        >>> z, width = excess(means, np.zeros((2, 4)), np.ones(4), np.zeros(4), (1, 2))
        >>> z.round(2).tolist(), width.tolist()
        ([0.0, 0.0, 2.12, 3.0], [1, 1, 1, 2])
    """
    each = np.asarray(widths, dtype=np.float64)[:, None]
    error = np.sqrt(2 * noise**2 / each + shared**2)
    with np.errstate(invalid="ignore"):
        z = (means - bars) / error
    z = np.where(np.isfinite(z), z, -np.inf)
    best = z.argmax(0)
    return z[best, np.arange(z.shape[1])], np.asarray(widths)[best]
