"""Whether a power law describes the tails: spectra drawn from the fitted laws, fitted again."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.tails import FEWEST, FLOOR, Tail, fit_tail
from heldout.engine.population import stream

DRAWS = 100  # the p-value's error is then at most 0.05 (Clauset, Shalizi & Newman 2009, section 4.1)
TOGETHER = 2**20  # eigenvalues that are fitted at one time


class TailCheck(NamedTuple):
    """What drawn spectra say of a fit.

    Attributes:
        p_value: Share of drawn spectra that are farther from their own fits than the real one from its fit, ``[M]``.
        p_value_error: Its Monte-Carlo standard error, ``[M]``.
        alpha_error: Standard deviation of the exponent over drawn spectra, xmin chosen anew in each, ``[M]``.
    """

    p_value: Tensor
    p_value_error: Tensor
    alpha_error: Tensor


def check_tail(
    eigenvalues: Float[Tensor, "M R"], tail: Tail, generator: torch.Generator, *, draws: int = DRAWS
) -> TailCheck:
    r"""Semi-parametric bootstrap of a fitted tail (Clauset, Shalizi & Newman 2009, section 4.1).

    Of R eigenvalues, n of them in the tail, each drawn one comes from the fitted law with probability n / R,

    .. math:: \lambda = x_{min} (1 - u)^{-1 / (\alpha - 1)},

    and is otherwise one of the eigenvalues below xmin. Each drawn spectrum is fitted as the real one was, its xmin chosen
    anew. A small p-value speaks against the power law; a large one does not speak for it against other laws. Eigenvalues
    repel each other and are no independent draws, which makes real distances smaller than those of drawn spectra.

    Args:
        eigenvalues: Of each network, in any order.
        tail: Their fits.
        generator: Of draws that all networks share.
        draws: How many.

    Returns:
        One check a network; NaN where there is no fit.

    Example:
        >>> values = torch.linspace(1, 2, 12, dtype=torch.float64)[None]
        >>> check = check_tail(values, fit_tail(values), torch.Generator().manual_seed(0), draws=20)
        >>> 0 <= check.p_value.item() <= 1
        True
    """
    ordered = eigenvalues.double().sort(descending=True).values
    members, count = ordered.shape
    usable = (ordered > FLOOR * ordered[:, :1]).sum(1, keepdim=True)
    size = tail.size.nan_to_num(1.0).long().unsqueeze(1)
    coins, uniforms = (torch.rand(draws, count, generator=generator, dtype=torch.float64) for _ in "ab")
    distances, alphas = [], []
    step = max(1, TOGETHER // (members * count))
    for first in range(0, draws, step):
        coin = coins[first : first + step].to(ordered.device).unsqueeze(1)
        u = uniforms[first : first + step].to(ordered.device).unsqueeze(1)
        law = tail.start.unsqueeze(1) * (1 - u) ** (-1 / (tail.alpha.unsqueeze(1) - 1))
        below = (size + (u * (usable - size)).long()).clamp(max=count - 1)
        body = ordered.expand(len(u), members, count).gather(2, below)
        drawn = torch.where(coin * usable < size, law, body)
        drawn = torch.where(torch.arange(count, device=ordered.device) < usable, drawn, 0.0)
        fit = fit_tail(drawn.flatten(0, 1).nan_to_num(0.0), fewest=FEWEST)
        distances.append(fit.distance.reshape(-1, members))
        alphas.append(fit.alpha.reshape(-1, members))
    farther = (torch.cat(distances) >= tail.distance).double().mean(0)
    defined = tail.alpha.isfinite()
    share = torch.where(defined, farther, float("nan"))
    found = torch.cat(alphas)
    known = found.isfinite().sum(0)
    mean = found.nansum(0) / known
    spread = ((found - mean).square().nansum(0) / (known - 1)).sqrt()
    return TailCheck(share, (share * (1 - share) / draws).sqrt(), torch.where(defined, spread, float("nan")))


@evidence(thorough=True)
def tail_checks(block_spectra: dict[str, Tensor], tails: dict[str, Tail], seed: int) -> dict[str, TailCheck]:
    """Checks of all fitted tails, block -> check."""
    return {
        name: check_tail(block_spectra[name].square(), tail, stream(seed, "tail checks", name))
        for name, tail in tails.items()
    }
