"""Gaussian posteriors over the weights of a population: trained for a PAC-Bayes bound, and drawn from to evaluate it."""

from heldout.engine.posteriors.draws import network_errors, per_draw, per_example
from heldout.engine.posteriors.gaussian import Gaussian, divergence, drawn, log_ratio
from heldout.engine.posteriors.grid import on_grid, price
from heldout.engine.posteriors.optimising import Posterior, trained_posterior
from heldout.engine.posteriors.records import Gibbs, Recursion, SingleDraw
from heldout.engine.posteriors.settings import Settings

__all__ = [
    "Gaussian",
    "Gibbs",
    "Posterior",
    "Recursion",
    "Settings",
    "SingleDraw",
    "divergence",
    "drawn",
    "log_ratio",
    "network_errors",
    "on_grid",
    "per_draw",
    "per_example",
    "price",
    "trained_posterior",
]
