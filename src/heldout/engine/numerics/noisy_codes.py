"""Information that a code with Gaussian noise has of its input, by Monte Carlo between two bounds."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

Values = NDArray[np.float64]

REFERENCES = 400  # inputs whose mixture stands for the law of the code


def noisy_code_information(
    codes: Values, noise: float, draws: Values, *, references: int = REFERENCES
) -> tuple[Values, Values]:
    r"""Log-ratios whose means are a lower and an upper bound on I(X; Z) in expectation, ``Z = T + sigma xi``, in nats.

    .. math:: \ln \frac{p(z_i | x_i)}{\frac1K \sum_k p(z_i | x_k)}

    With the code's own input among the K references the mean is at most the information, and at most ln K; without it, at least
    (Poole et al. 2019, section 2).

    Args:
        codes: T of independent inputs, ``[N, F]``, at least two.
        noise: sigma, above 0.
        draws: xi, ``[N, F]``.
        references: K is at most this; the N inputs themselves where they are fewer.

    Returns:
        Lower and upper, each ``[N]``.

    Example:
        Two codes so far apart that the noise hides nothing: ln 2.

        >>> lower, upper = noisy_code_information(np.array([[0.0], [10.0]]), 1.0, np.zeros((2, 1)))
        >>> print(f"{lower.mean():.4f} {upper.mean():.1f}")
        0.6931 50.0
    """
    count, within = len(codes), min(references, len(codes))
    exponents = -cdist(codes + noise * draws, codes, "sqeuclidean") / (2 * noise**2)
    rows = np.arange(count)
    own = exponents[rows, rows]
    # the references of input i are the next ones in a circle, its order being random
    others = (rows[:, None] + np.arange(1, within)) % count
    rest = logsumexp(exponents[rows[:, None], others], axis=1)
    return own - np.logaddexp(own, rest) + np.log(within), own - rest + np.log(within - 1)
