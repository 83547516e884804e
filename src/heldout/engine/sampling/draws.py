"""What comes out of sampling: the draws of one group, and everything that tells whether to believe them."""

from dataclasses import dataclass

from heldout.engine.sampling.convergence import Floats
from heldout.engine.sampling.equilibrium import Equilibrium
from heldout.engine.sampling.recording import Recorded


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """One member's posterior at one temperature and localisation.

    Attributes:
        member: Whose.
        nbeta: n times the inverse temperature.
        localisation: gamma.
        size: Parameters that were sampled P.
        examples: n.
        recorded: The draws after burn-in.
        centre_losses: Of every training example at the centre, ``[N]``.
        centre_test_losses: Of every test example, ``[N']``; None without test data.
        equilibrium: What the diagnostics say.
        sampler: Its name.
        batch: Examples a step; None for all.
        step_size: Of the sampler.
        steps: Between draws.
        acceptance: Mean acceptance of the Metropolis test; where there is none, what one on pilot chains gave.
        burn_in: Draws that were left out.
        sweeps: Gradients over all examples that a chain cost.
        largest: Eigenvalue of the Hessian at the centre.
        smallest: Eigenvalue.
        effective: Learning coefficient of the quadratic law.
        effective_error: Its standard error.
        deficit: How far the centre lies above the minimum beside it, in units of temperature.
        step_bias: Of an unadjusted sampler: ``n beta`` times the mean loss at twice this step size, less that at this one.
        step_bias_error: Its standard error.
    """

    member: int
    nbeta: float
    localisation: float
    size: int
    examples: int
    recorded: Recorded
    centre_losses: Floats
    centre_test_losses: Floats | None
    equilibrium: Equilibrium
    sampler: str
    batch: int | None
    step_size: float
    steps: int
    acceptance: float
    burn_in: int
    sweeps: float
    largest: float
    smallest: float
    effective: float
    effective_error: float
    deficit: float
    step_bias: float = 0.0
    step_bias_error: float = 0.0

    @property
    def beta(self) -> float:
        """Inverse temperature, 1 for the Bayesian posterior."""
        return self.nbeta / self.examples
