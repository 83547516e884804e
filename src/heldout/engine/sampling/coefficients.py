"""Local learning coefficients of many networks at once, each with a number or with the reason why it has none."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.sampling import sample
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.uncertainty import uncertainty

NOT_A_MINIMUM = 0.1  # share of the learning coefficient that the centre may lie above the minimum beside it
ADRIFT = 1.1  # of P: squared distance from the centre, in units of the localiser's variance
SECOND_SEED = 1_000_003  # between the sampling seeds of a study's seeds


class Coefficient(NamedTuple):
    """The local learning coefficient of one network.

    Attributes:
        value: The estimate from the centre; NaN where there is none.
        standard_error: Its Monte-Carlo error.
        heat_capacity: The estimate from the variance of the loss, which needs no centre; NaN where chains have not converged.
        quadratic: What the curvature at the centre alone would give.
        status: ``ok``, ``not-converged`` or ``no-minimum``.
        reason: Why there is none.
    """

    value: float
    standard_error: float
    heat_capacity: float
    quadratic: float
    status: str
    reason: str


def coefficients(
    field: Field, settings: Settings, *, nbeta: float, localisations: Tensor, seeds: Sequence[int]
) -> list[Coefficient]:
    r"""Sample around every centre of a field, and read :math:`n\beta (E[L_n(w)] - L_n(w^*))`.

    The chains of one call share their random numbers over its networks. Networks whose coefficients are to be independent belong
    to different seeds, and each seed is a call of its own.

    Args:
        field: Losses around M centres.
        settings: How chains run; each seed replaces the settings'.
        nbeta: n times the inverse temperature.
        localisations: gamma, ``[M]``, float64.
        seeds: One a centre.

    Returns:
        One a centre.
    """
    numbers = np.asarray(seeds)
    found: dict[int, Coefficient] = {}
    for seed in np.unique(numbers):
        members = torch.from_numpy(np.flatnonzero(numbers == seed)).to(field.centres.device)
        gammas = localisations[members]
        target = Target.of(field, members, torch.full_like(gammas, nbeta), gammas, settings.chains)
        drawn = sample(target, replace(settings, seed=settings.seed + SECOND_SEED * int(seed)))
        found |= {own.member: coefficient_of(own) for own in drawn}
    return [found[member] for member in range(len(numbers))]


def coefficient_of(own: Draws) -> Coefficient:
    """The learning coefficient that draws give, or why they give none.

    Args:
        own: Draws of one network.

    Returns:
        The coefficient.
    """
    none = float("nan")
    if not own.equilibrium.converged:
        return Coefficient(none, none, none, own.effective, "not-converged", own.equilibrium.reason)
    series = own.nbeta * (own.recorded.mean_losses - own.centre_losses.mean())
    value, error = float(series.mean()), uncertainty(series).error
    high = adrift(own) or above_minimum(own, value, error)
    if high:
        return Coefficient(none, none, float(series.var()), own.effective, "no-minimum", high)
    return Coefficient(value, float(np.hypot(error, own.step_bias)), float(series.var()), own.effective, "ok", "")


def adrift(own: Draws) -> str:
    """Why the loss does not hold the chains.

    Args:
        own: Draws around a centre.

    Returns:
        A sentence; empty where the loss holds them.
    """
    # around a minimum the loss pulls towards the centre, and draws lie closer to it than under the localiser alone, whose squared
    # distance is P / gamma: beyond that the loss pushes them away, and no coefficient of a neighbourhood is there to be read
    series = own.localisation * own.recorded.distances / own.size
    mean, found = float(series.mean()), uncertainty(series)
    if mean <= max(ADRIFT, 1 + 4 * found.error):
        return ""
    return (
        f"the loss drives the chains away from the centre, {mean:.3g} times as far in squares as the localisation alone would let "
        "them: there is no minimum here that holds them; train to a minimum of this loss on these examples"
    )


def above_minimum(own: Draws, value: float, error: float) -> str:
    """Why the centre is no minimum, or none that holds the chains.

    Args:
        own: Draws around it.
        value: The learning coefficient by the estimate from the centre.
        error: Its standard error.

    Returns:
        A sentence; empty where nothing speaks against it.
    """
    rises = own.nbeta * (own.recorded.mean_losses - own.centre_losses.mean())
    below, depth = float((rises < 0).mean()), float(max(0.0, -rises.min()))
    other = ", or read learning-coefficient-heat-capacity, which needs no centre"
    remedy = f"; train to a minimum of this loss on these examples{other}"
    high = own.deficit
    # a minimum beside the centre would explain a depth of about the deficit
    local = 10 * high < depth and own.nbeta * own.smallest > -0.1 * own.localisation
    lower = value < -2 * error or below > 0.25 or depth > _bearable(value, depth, error)
    if lower and local:
        return (
            f"the chains left the basin of the centre: {100 * below:.2g} % of the draws have a smaller loss, by up to {depth:.3g} "
            "units of temperature, though the centre is a minimum of its own; "
            f"pass localisation={16 * own.localisation:.3g} to stay in it{other}"
        )
    if lower:
        return f"the centre is no minimum: {100 * below:.2g} % of the draws have a smaller loss{remedy}"
    if np.isfinite(high) and high > _bearable(value, high, error):
        words = f"the centre lies {high:.3g} units of temperature above the minimum beside it, which are missing from {value:.3g}"
        return words + remedy
    return ""


def _bearable(value: float, missing: float, error: float) -> float:
    return max(NOT_A_MINIMUM * (abs(value) + missing), 3 * error)


def automatic_localisations(squares: Tensor, size: int) -> Tensor:
    """The precision of a Gaussian about each network that is as wide as its weights themselves.

    Args:
        squares: Squared lengths of the networks' weights, ``[M]``.
        size: Their number of parameters P.

    Returns:
        ``P / |w|^2``, and 1 for a network of zeros, which has no scale of its own.
    """
    return torch.where(squares > 0, size / squares.clamp_min(1e-12), 1.0)
