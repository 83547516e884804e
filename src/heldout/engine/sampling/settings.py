"""How a posterior is sampled; everything that is None is chosen."""

from dataclasses import dataclass
from typing import Any

import torch

from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.langevin import RmspropSgld, Sgld
from heldout.engine.sampling.metropolis import Mala
from heldout.engine.sampling.state import Sampler
from heldout.engine.sampling.thermostat import Sgnht
from heldout.records import Refusal, refuse

SAMPLERS = ("hmc", "mala", "sgld", "rmsprop-sgld", "sgnht")
#: Examples up to which trajectories over all of them cost less than the many more steps of minibatch chains.
FEW_EXAMPLES = 20_000
BATCH = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """How chains run.

    Attributes:
        chains: K of every member.
        draws: Of a chain; fewer where the precision is reached before, more where it is not and the budget allows.
        sampler: One of :data:`SAMPLERS`, or ``"auto"``: trajectories up to 20,000 examples, minibatch chains beyond.
        batch: Examples a step of the stochastic samplers; None for 512 or all.
        step_size: None for the automatic choice.
        budget: Gradients over all examples that one chain may cost.
        precision: Standard error of the learning coefficient, as a share of it, at which sampling ends.
        control_variate: Whether minibatch gradients are corrected by those at the centre.
        seed: Of every stream.
    """

    chains: int = 8
    draws: int = 400
    sampler: str = "auto"
    batch: int | None = None
    step_size: float | None = None
    budget: float = 50_000.0
    precision: float = 0.03
    control_variate: bool = False
    seed: int = 0

    def check(self) -> None:
        """Refuse what cannot be meant; all faults together."""
        faults: list[Refusal] = []

        def demand(holds: bool, given: str, expected: str, do: str) -> None:
            if not holds:
                faults.append(Refusal(given=given, expected=expected, do=do))

        demand(_whole(self.chains, 2), f"chains was {self.chains!r}", "a whole number of at least 2", "pass chains=8")
        demand(_whole(self.draws, 50), f"draws was {self.draws!r}", "a whole number of at least 50", "pass draws=400")
        names = ("auto", *SAMPLERS)
        demand(
            self.sampler in names, f"sampler was '{self.sampler}'", f"one of {', '.join(names)}", "choose one of these"
        )
        demand(
            self.batch is None or _whole(self.batch, 1),
            f"batch was {self.batch!r}",
            "a positive whole number",
            "leave it out",
        )
        for name, value in (("step_size", self.step_size), ("budget", self.budget), ("precision", self.precision)):
            positive = value is None or (isinstance(value, (int, float)) and 0 < value < float("inf"))
            demand(positive, f"{name} was {value!r}", "a positive number", "leave it out")
        refuse(faults)

    def chosen(self, examples: int) -> tuple[Sampler, int | None]:
        """The sampler, and its batch.

        Args:
            examples: N.

        Returns:
            The two; the batch is None where all examples are used.
        """
        name = self.sampler
        if name == "auto":
            name = "hmc" if examples <= FEW_EXAMPLES else "sgld"
        if name in ("hmc", "mala"):
            return (Hmc(torch.ones(1)) if name == "hmc" else Mala()), None
        batch = min(self.batch or BATCH, examples)
        given = None if batch == examples else batch
        if name == "sgld":
            return Sgld(given, self.control_variate), given
        return (RmspropSgld(given) if name == "rmsprop-sgld" else Sgnht(given)), given


def _whole(number: Any, least: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least
