"""Susceptibilities: how a part of the network answers to a change of the data."""

from typing import NamedTuple

import numpy as np

from heldout.engine.sampling.convergence import Floats, split


class Susceptibilities(NamedTuple):
    """Answers of one part to M probes, in units of loss squared.

    Attributes:
        value: As published: the change of the probe is centred by its mean over the whole posterior, ``[M]``.
        error: Its Monte-Carlo standard error.
        within: Centred by its mean over the part's own posterior: the derivative of that posterior's mean, ``[M]``.
        within_error: Its Monte-Carlo standard error.
    """

    value: Floats
    error: Floats
    within: Floats
    within_error: Floats


def susceptibilities(
    mean_losses: Floats, probes: Floats, centre_loss: float, whole_mean_losses: Floats, whole_probes: Floats
) -> Susceptibilities:
    r"""How the loss of a part's posterior answers when the data move towards a probe.

    .. math:: \chi = -\left(E_C[\phi\, \Delta] - E_C[\phi]\, E[\Delta]\right), \quad \phi = L_n(w) - L_n(w^*), \quad
        \Delta = \ell_x(w) - L_n(w)

    (Baker et al. 2025.) :math:`E_C` is over the posterior of the part C, all other parameters held; :math:`E` over the whole
    posterior. The data law is :math:`(1 - h) q + h \delta_x`, and :math:`n \beta \chi` is the derivative by h at 0. Where the
    change has one mean over both posteriors it is exactly the derivative of :math:`E_C[\phi]`, which is given too. Negative: the
    part is more variable for x than for the data at large.

    Args:
        mean_losses: L_n at draws of the part's posterior, ``[K, D]``.
        probes: Losses of the probes at the same draws, ``[K, D, M]``.
        centre_loss: L_n at the centre.
        whole_mean_losses: L_n at draws of the whole posterior, ``[K', D']``.
        whole_probes: Losses of the probes there, ``[K', D', M]``.

    Returns:
        The answers.

    Example:
        >>> mean = np.array([[1.0, 3.0, 1.0, 3.0]])
        >>> found = susceptibilities(mean, 2 * mean[..., None], 0.0, mean, 2 * mean[..., None])
        >>> found.value.tolist(), found.within.tolist()
        ([-1.0], [-1.0])
    """
    phi = split(mean_losses) - centre_loss
    change = split(probes) - split(mean_losses)[..., None]
    whole = split(whole_probes) - split(whole_mean_losses)[..., None]
    centred = (phi - phi.mean())[..., None]
    mean, outside = change.mean((0, 1)), whole.mean((0, 1))
    within = centred * (change - mean)
    # the published form is that plus what the two posteriors' means of the change differ by
    part = -(within + (phi.mean() + centred) * (mean - outside) + phi.mean() * (change - mean))
    beside = phi.mean() * (whole - outside)
    return Susceptibilities(
        value=-within.mean((0, 1)) - phi.mean() * (mean - outside),
        error=np.hypot(_error(part), _error(beside)),
        within=-within.mean((0, 1)),
        within_error=_error(within),
    )


def _error(series: Floats) -> Floats:
    """Of the mean over all draws, from the spread between halves of chains."""
    means = series.mean(1)
    return means.std(0, ddof=1) / np.sqrt(len(means))
