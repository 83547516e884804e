"""What a sampled posterior says beyond one number a network: correlations, influences, susceptibilities, selection, weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heldout.engine.sampling import Draws
from heldout.engine.sampling.convergence import Floats
from heldout.posterior.correlations import Correlations, bayesian_influence, loss_correlations
from heldout.posterior.hypothesis_weight import APART, HypothesisWeight, hypothesis_weight
from heldout.posterior.internal_selection import Selection, critical_size, internal_selection
from heldout.posterior.susceptibilities import Susceptibilities, susceptibilities
from heldout.records import Reading, Refusal

PLACES = ("train", "test")
#: Sizes of the data at which free energies are compared unless others are asked for: six decades, ten a decade.
SIZES = np.geomspace(10.0, 1e7, 61)


def correlations_of(draws: Sequence[Draws], on: str) -> list[Correlations]:
    """Covariance and correlation of the losses of examples over the posterior of every network.

    Args:
        draws: One a member.
        on: ``"train"`` for training examples among themselves, ``"test"`` for training by test examples.

    Returns:
        One a member.
    """
    place(on)
    return [
        loss_correlations(equilibrated(own).recorded.losses, None if on == "train" else losses_on(own, on))
        for own in draws
    ]


def influences_of(draws: Sequence[Draws], on: str) -> list[tuple[Floats, Floats]]:
    """Influence of every training example on the loss of every example of a data set.

    Args:
        draws: One a member.
        on: ``"test"`` or ``"train"``.

    Returns:
        Influences ``[N, M]`` and their standard errors, one pair a member.
    """
    place(on)
    return [bayesian_influence(equilibrated(own).recorded.losses, losses_on(own, on), own.beta) for own in draws]


def susceptibilities_of(draws: Sequence[Draws], parts: Sequence[Sequence[Draws]], on: str) -> Susceptibilities:
    """Answer of every part of every network to every example of a data set.

    Args:
        draws: Of the whole networks, one a member.
        parts: Of the parts, one a member each.
        on: Whose examples are the probes.

    Returns:
        Arrays ``[networks, parts, examples]``.
    """
    place(on)
    found = [
        [
            susceptibilities(
                equilibrated(part[m]).recorded.losses.mean(2), losses_on(part[m], on), float(own.centre_losses.mean()),
                equilibrated(own).recorded.losses.mean(2), losses_on(own, on),
            )
            for part in parts
        ]
        for m, own in enumerate(draws)
    ]  # fmt: skip
    return Susceptibilities(
        *(np.array([[getattr(part, name) for part in row] for row in found]) for name in Susceptibilities._fields)
    )


@dataclass(frozen=True, slots=True, eq=False)
class InternalSelection:
    """Which of the networks the posterior prefers as the data grow.

    Attributes:
        selection: Free energies, shares of the mass and winners, by network and size.
        swaps: Rows with simple, complex (numbers of networks), size, low and high: where the second takes over from the first.
    """

    selection: Selection
    swaps: list[dict[str, Any]]


def selection_of(
    draws: Sequence[Draws], reading: Reading, sizes: Sequence[float] | None, multiplicities: Sequence[float] | None
) -> InternalSelection:
    """Compare the networks' neighbourhoods as solutions of the same data.

    Losses are those of the centres on the training data, and the error of their differences is that of paired examples.

    Args:
        draws: One a member.
        reading: Their learning coefficients.
        sizes: Numbers of examples; six decades unless given.
        multiplicities: One a member; 1 unless given.

    Returns:
        The comparison.

    Raises:
        Refusal: With fewer than two networks, a network whose learning coefficient has no number, or sizes below e.
    """
    given = SIZES if sizes is None else np.asarray(sizes, np.float64)
    if not given.size or not (given > np.e).all():
        raise Refusal(
            given=f"sizes were {list(given[:5])}",
            expected="numbers of examples of at least 3",
            do="pass sizes=[100, 1000]",
        )
    if len(draws) < 2:
        raise Refusal(
            given="the posterior was of one network",
            expected="at least two solutions to choose between",
            do="pass Subject([first, second], ...)",
        )
    if multiplicities is not None and len(multiplicities) != len(draws):
        raise Refusal(
            given=f"{len(multiplicities)} multiplicities for {len(draws)} networks",
            expected="one each",
            do="leave them out",
        )
    for member, (holds, reason) in enumerate(zip(np.isfinite(reading.value), reading.reasons, strict=True)):
        if not holds:
            raise Refusal(
                given=f"the learning coefficient of network {member} has no number: {reason}",
                expected="a coefficient for every network",
                do="mend the reason, or leave that network out",
            )
    losses = np.array([own.centre_losses for own in draws])
    value, error = np.asarray(reading.value, np.float64), np.asarray(reading.standard_error, np.float64)
    many = None if multiplicities is None else np.asarray(multiplicities, np.float64)
    found = internal_selection(losses.mean(1), value, given, coefficient_errors=error, multiplicities=many)
    swaps = []
    for a in range(len(draws)):
        for b in range(len(draws)):
            gap = losses[a] - losses[b]
            where = critical_size(
                float(gap.mean()), float(value[b] - value[a]), loss_error=float(gap.std(ddof=1) / np.sqrt(len(gap))),
                coefficient_error=float(np.hypot(error[a], error[b])),
            )  # fmt: skip
            if np.isfinite(where.size):
                swaps.append({"simple": a, "complex": b, **where._asdict()})
    return InternalSelection(found, swaps)


def weights_of(rungs: Sequence[Sequence[Draws]]) -> list[HypothesisWeight]:
    """Weight of the hypotheses near every network.

    Args:
        rungs: A ladder of temperatures for every member.

    Returns:
        One a member.

    Raises:
        Refusal: Without a ladder, or where its rungs lie too far apart.
    """
    if not rungs:
        raise Refusal(
            given="no ladder of temperatures was sampled", expected="one", do="pass ladder=12 to sample_posterior"
        )
    found = []
    for ladder in rungs:
        excess = [equilibrated(own).recorded.mean_losses - own.centre_losses.mean() for own in ladder]
        weight = hypothesis_weight(np.array([own.nbeta for own in ladder]), excess)
        if weight is None:
            raise Refusal(
                given=f"the ladder of network {ladder[0].member} had {len(ladder)} rungs: {APART}",
                expected="neighbouring rungs that overlap",
                do=f"pass ladder={2 * len(ladder)}",
            )
        found.append(weight)
    return found


def equilibrated(own: Draws) -> Draws:
    """Draws that may be spoken of.

    Args:
        own: Of one network at one temperature.

    Returns:
        The same.

    Raises:
        Refusal: If they are not in equilibrium.
    """
    if not own.equilibrium.converged:
        raise Refusal(
            given=f"the chains of network {own.member} at n beta = {own.nbeta:.3g} have not converged: {own.equilibrium.reason}",
            expected="draws in equilibrium",
            do="follow the reason",
        )
    return own


def place(on: str) -> None:
    """Refuse what is no data set.

    Args:
        on: Its name.

    Raises:
        Refusal: If there is none of it.
    """
    if on not in PLACES:
        raise Refusal(given=f"on was '{on}'", expected=f"one of {', '.join(PLACES)}", do="pass on='train'")


def losses_on(own: Draws, on: str) -> Floats:
    """Losses of every example of a data set at the kept draws.

    Args:
        own: Of one network.
        on: ``"train"`` or ``"test"``.

    Returns:
        ``[K, D, N]``.

    Raises:
        Refusal: If it was not sampled with test data.
    """
    if on == "train":
        return own.recorded.losses
    if own.recorded.test_losses is None:
        raise Refusal(given="there was no test data", expected="test examples", do="pass Subject(..., test=(x, y))")
    return own.recorded.test_losses
