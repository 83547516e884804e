"""The record of a sampled posterior: readings of every network, the draws behind them, and what the diagnostics say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from heldout.engine.sampling import Draws, Settings
from heldout.engine.subject import Subject
from heldout.posterior.correlations import Correlations
from heldout.posterior.hypothesis_weight import HypothesisWeight
from heldout.posterior.susceptibilities import Susceptibilities
from heldout.records import Reading
from heldout.verbs import posterior_functions as functions
from heldout.verbs.posterior_record import tables_of

TRACE_POINTS = 200  # of a chain in the record


@dataclass(frozen=True, slots=True)
class Asked:
    """What was to be sampled, as the user said it.

    Attributes:
        at: The centre.
        only: Beginning of the parameters' names; empty for all.
        beta: Inverse temperature; None for ``1 / ln n``.
        localisation: gamma; None for the automatic choice.
        ladder: Rungs; 0 for none.
    """

    at: str = "trained"
    only: str = ""
    beta: float | None = None
    localisation: float | Sequence[float] | None = None
    ladder: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """A sampled posterior.

    Attributes:
        subject: Networks and data.
        settings: How chains ran.
        asked: What was sampled.
        draws: One a member.
        rungs: Ladders of temperatures, one a member; empty without.
        readings: Name -> reading.
        seconds: That it took.
        again: Samples the same over parameters by this beginning of their names, at these localisations.
    """

    subject: Subject
    settings: Settings
    asked: Asked
    draws: tuple[Draws, ...]
    rungs: tuple[tuple[Draws, ...], ...]
    readings: Mapping[str, Reading]
    seconds: float
    again: Callable[[str, Sequence[float]], "Posterior"]

    @property
    def learning_coefficient(self) -> Reading:
        """Local learning coefficient of every network, by the estimate from the centre."""
        return self.readings["learning-coefficient"]

    @property
    def waic(self) -> Reading:
        """WAIC of the posterior at the temperature that was sampled."""
        return self.readings["waic"]

    @property
    def wbic(self) -> Reading:
        """WBIC; defined at the default temperature."""
        return self.readings["wbic"]

    @property
    def singular_fluctuation(self) -> Reading:
        """Singular fluctuation."""
        return self.readings["singular-fluctuation"]

    @property
    def free_energy(self) -> Reading:
        """Local free energy less the loss at the centre; needs ``ladder=``."""
        return self.readings["free-energy"]

    @property
    def converged(self) -> bool:
        """Whether the chains of every network reached equilibrium."""
        return all(own.equilibrium.converged for own in self.draws)

    def restrict(self, only: str) -> "Posterior":
        """The posterior of some of the parameters, the others held where they are: the weight-refined learning coefficient.

        Args:
            only: The beginning of their names, such as ``"layers.0"``.

        Returns:
            A posterior sampled with the same settings and localisation.
        """
        return self.again(only, [own.localisation for own in self.draws])

    def correlations(self, on: str = "train") -> list[Correlations]:
        """Covariance and correlation over the draws of training losses, with one another or with ``"test"`` losses, by network."""
        return functions.correlations_of(self.draws, on)

    def influences(self, on: str = "test") -> list[tuple[Any, Any]]:
        """Bayesian influence ``[N, M]`` of training examples on the losses of a data set, with its error, by network."""
        return functions.influences_of(self.draws, on)

    def susceptibilities(self, parts: Sequence[str], on: str = "train") -> Susceptibilities:
        """Answer of parts, by the beginning of their parameters' names, to every example: ``[networks, parts, examples]``."""
        return functions.susceptibilities_of(self.draws, [self.restrict(part).draws for part in parts], on)

    def selection(
        self, sizes: Sequence[float] | None = None, multiplicities: Sequence[float] | None = None
    ) -> functions.InternalSelection:
        """Which of the networks the posterior prefers as the data grow to these sizes, and where two of them swap."""
        return functions.selection_of(self.draws, self.learning_coefficient, sizes, multiplicities)

    def hypothesis_weight(self) -> list[HypothesisWeight]:
        """Prior mass of networks as good as each, free energy and running coefficient along the ladder; needs ``ladder=``."""
        return functions.weights_of(self.rungs)

    def ladder_of_localisations(self, factors: tuple[float, ...] = (0.25, 1.0, 4.0)) -> list[dict[str, Any]]:
        """The learning coefficient at several localisations: it should not hang on the choice, and where it does one should know.

        Args:
            factors: Of the localisation that was used.

        Returns:
            Rows with factor, member, localisation, value, standard_error, quadratic, status and reason.
        """
        rows = []
        for factor in factors:
            gammas = [factor * own.localisation for own in self.draws]
            found = self if factor == 1.0 else self.again(self.asked.only, gammas)
            value = found.learning_coefficient
            for member, row in enumerate(value.rows()):
                own = found.draws[member]
                kept = {key: row[key] for key in ("value", "standard_error", "status", "reason")}
                rows.append({
                    "factor": factor,
                    "member": member,
                    "localisation": own.localisation,
                    "quadratic": own.effective,
                    **kept,
                })
        return rows

    def diagnostics(self) -> list[dict[str, Any]]:
        """What tells whether to believe the numbers, one row a network."""
        return [
            {
                "member": own.member, "converged": own.equilibrium.converged, "reason": own.equilibrium.reason,
                "sampler": own.sampler, "batch": own.batch, "step_size": own.step_size, "steps": own.steps,
                "acceptance": _number(own.acceptance), "chains": len(own.recorded.mean_losses),
                "draws": own.recorded.mean_losses.shape[1], "burn_in": own.burn_in, "sweeps": own.sweeps,
                "nbeta": own.nbeta, "beta": own.beta, "localisation": own.localisation, "parameters": own.size,
                "largest_eigenvalue": own.largest, "smallest_eigenvalue": own.smallest, "deficit": _number(own.deficit),
                "step_bias": own.step_bias, "step_bias_error": own.step_bias_error,
                **{name: _number(value) for name, value in own.equilibrium.numbers.items()},
                "layers": own.equilibrium.layers,
            }
            for own in self.draws
        ]  # fmt: skip

    def traces(self) -> list[dict[str, Any]]:
        """Excess loss of every chain in units of temperature, thinned, rows with member, chain, draw and value."""
        rows = []
        for own in self.draws:
            series = own.nbeta * (own.recorded.mean_losses - own.centre_losses.mean())
            stride = max(1, int(np.ceil(series.shape[1] / TRACE_POINTS)))
            for chain, values in zip(np.flatnonzero(own.recorded.alive), series, strict=True):
                rows += [
                    {"member": own.member, "chain": int(chain), "draw": draw, "value": float(values[draw])}
                    for draw in range(0, len(values), stride)
                ]
        return rows

    def to_dict(self) -> dict[str, Any]:
        """The record in plain values, for JSON; matrices are thinned, whole ones are what the methods give."""
        return {
            "schema": 2,
            "kind": "posterior",
            "subject": self.subject.summary(),
            "labels": list(self.subject.groups) or [f"network {own.member}" for own in self.draws],
            "asked": asdict(self.asked),
            "settings": asdict(self.settings),
            "readings": [row for reading in self.readings.values() for row in reading.rows()],
            "diagnostics": self.diagnostics(),
            **tables_of(self.draws, self.rungs, self.learning_coefficient),
            "traces": self.traces(),
            "seconds": self.seconds,
        }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
