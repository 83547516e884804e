"""Inversions behind every confidence bound: in the log domain, vectorised, never on the unsafe side of the exact value.

All functions work on float64 arrays that broadcast together and round outward by at most about 1e-12.
"""

from heldout.engine.numerics.betting import betting_lower, betting_upper, shuffled
from heldout.engine.numerics.binomial import binomial_inverse_lower, binomial_inverse_upper
from heldout.engine.numerics.concentration import empirical_bernstein_upper, hoeffding_upper, kl_chernoff_upper
from heldout.engine.numerics.kl import binary_kl, kl_inverse_lower, kl_inverse_upper

__all__ = [
    "betting_lower",
    "betting_upper",
    "binary_kl",
    "binomial_inverse_lower",
    "binomial_inverse_upper",
    "empirical_bernstein_upper",
    "hoeffding_upper",
    "kl_chernoff_upper",
    "kl_inverse_lower",
    "kl_inverse_upper",
    "shuffled",
]
