"""Betting confidence bounds on the mean of losses in [0, 1] (Waudby-Smith and Ramdas), rounded outward.

Against the hypothesis that the mean is m0 (or more) a gambler starts with wealth 1 and bets on small losses:

    K_t(m0) = prod_{i<=t} (1 - lambda_i(m0) (x_i - m0)),   lambda_i(m0) = min(l_i, c/(1-m0)),   c = 1/2,
    l_i = sqrt(2 ln(1/delta) / (n v_{i-1})),   v_i = (1/4 + sum_{j<=i} (x_j - mu_j)^2) / (i+1),
    mu_i = (1/2 + sum_{j<=i} x_j) / (i+1).

l_i looks only at earlier losses, so by Ville's inequality max_t K_t(m) reaches 1/delta at the true mean m with
probability at most delta. The bound is the largest m0 at which it does not.

That set is an interval [0, B): every factor is non-decreasing in m0. Untruncated it is 1 + l(m0 - x), increasing;
truncated it is 1 - c + c(1-x)/(1-m0), non-decreasing since x <= 1; and the two agree where they meet. So K_t, and its
maximum over t, are non-decreasing, and bisection finds B from above.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal, refuse

_EPS = float(np.finfo(np.float64).eps)
#: The most of the possible loss that is staked.
TRUNCATION = 0.5
_HALVINGS = 44  # 2^-44 = 6e-14
_BLOCK = 1 << 16  # losses handled together: their work arrays stay in cache


def predictable_bets(losses: Floats, log_delta: float) -> Floats:
    """The predictable bets l_i before truncation.

    Args:
        losses: Shape [M, N], in [0, 1].
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Shape [M, N]; each depends on earlier losses alone.
    """
    n = losses.shape[-1]
    count = np.arange(2.0, n + 2.0)
    mean = (0.5 + np.cumsum(losses, axis=-1)) / count
    variance = (0.25 + np.cumsum((losses - mean) ** 2, axis=-1)) / count
    before = np.concatenate([np.full((len(losses), 1), 0.25), variance[:, :-1]], axis=-1)
    return np.sqrt(-2.0 * log_delta / (n * before))


def _rejected(losses: Floats, bets: Floats, m0: Floats, log_delta: float) -> NDArray[np.bool_]:
    """Whether the wealth against m0 (one per row) reached 1/delta, surely, whatever the rounding of the sums did."""
    with np.errstate(divide="ignore"):
        cap = TRUNCATION / (1.0 - m0)
    gains = np.minimum(bets, cap[:, None])
    gains *= m0[:, None] - losses
    np.log1p(gains, out=gains)
    # Recursive summation of N terms errs by less than N eps sum|terms|; this moves the bound by about N eps.
    error = (gains.shape[-1] + 8) * _EPS * np.abs(gains).sum(axis=-1)
    np.cumsum(gains, axis=-1, out=gains)
    return gains.max(axis=-1) - error >= -log_delta


def _upper(losses: Floats, log_delta: float) -> Floats:
    """The betting upper bound of every row."""
    bets = predictable_bets(losses, log_delta)
    low, high = np.zeros(len(losses)), np.ones(len(losses))
    open_ended = ~_rejected(losses, bets, high, log_delta)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        rejected = _rejected(losses, bets, middle, log_delta)
        high = np.where(rejected, middle, high)
        low = np.where(rejected, low, middle)
    return np.where(open_ended, 1.0, high)


def betting_upper(losses: ArrayLike, log_delta: float) -> Floats:
    """The betting upper confidence bound on the mean of losses in [0, 1], rounded up.

    Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86: hedged
    capital, of which this is one side, with predictable plug-in bets; formula above. Valid for
    independent losses and for every sequence with constant conditional mean; adapts to the variance.
    It depends on the order of the losses: shuffle once by `shuffled` with a recorded seed. It cannot see a second
    shuffle after a look at the first result, which would break the guarantee.
    Refused: losses outside [0, 1] or none at all, a log_delta of 0 or more or not finite.

    Args:
        losses: Shape [..., N], in the order in which they are bet on.
        log_delta: Natural logarithm of the failure probability of each bound.

    Returns:
        float64 of shape [...], in [0, 1].

    Example:
        A single loss of 0 turns the wealth into 1 + m0/(2(1 - m0)), which is 2 at m0 = 2/3.

        >>> print(f"{betting_upper([0.0], np.log(0.5)):.6f}")
        0.666667
    """
    values = np.asarray(losses, dtype=np.float64)
    level = np.asarray(log_delta, dtype=np.float64)
    faults = domain.proportions("losses", values) + domain.log_probabilities(level)
    if values.ndim == 0 or values.shape[-1] == 0:
        shape = Refusal(given=f"losses had shape {values.shape}", expected="[..., N] with N >= 1", do="pass an array")
        faults.append(shape)
    if level.ndim or np.isinf(level):
        number = Refusal(given="log_delta was not one finite number", expected="one number", do="pass math.log(delta)")
        faults.append(number)
    refuse(faults)
    rows = values.reshape(-1, values.shape[-1])
    step = max(1, _BLOCK // rows.shape[-1])
    bounds = [_upper(rows[first : first + step], float(level)) for first in range(0, len(rows), step)]
    return np.concatenate([np.empty(0), *bounds]).reshape(values.shape[:-1])[()]


def betting_lower(losses: ArrayLike, log_delta: float) -> Floats:
    """The betting lower confidence bound on the mean of losses in [0, 1]: one minus the upper bound of 1 - loss.

    Source, validity and blindness as in `betting_upper`; two-sided intervals spend delta/2 on each side.
    Refused: losses outside [0, 1] or none at all, a log_delta of 0 or more or not finite.

    Args:
        losses: Shape [..., N], in the order in which they are bet on.
        log_delta: Natural logarithm of the failure probability of each bound.

    Returns:
        float64 of shape [...], in [0, 1].

    Example:
        >>> print(f"{betting_lower([1.0], np.log(0.5)):.6f}")
        0.333333
    """
    values = np.asarray(losses, dtype=np.float64)
    refuse(domain.proportions("losses", values))
    # 1 - loss is rounded by at most eps/2, and a shift of all losses shifts the bound by no more than that.
    return np.maximum(1.0 - betting_upper(1.0 - values, log_delta) - 2.0 * _EPS, 0.0)[()]


def shuffled(n: int, seed: int) -> NDArray[np.int64]:
    """The order in which losses are bet on: a permutation of 0..n-1 from NumPy's PCG64 with a recorded seed.

    Choose the seed before looking at the losses, and never again.
    Refused: n below 1, negative seeds.

    Args:
        n: The number of losses.
        seed: The recorded seed.

    Returns:
        int64 of shape [n].

    Example:
        >>> sorted(shuffled(4, seed=1).tolist())
        [0, 1, 2, 3]
    """
    faults = domain.sizes(np.asarray(n, dtype=np.float64))
    if seed < 0:
        faults.append(Refusal(given=f"seed was {seed}", expected="a whole number of at least 0", do="pass seed=0"))
    refuse(faults)
    return np.random.Generator(np.random.PCG64(seed)).permutation(int(n)).astype(np.int64)
