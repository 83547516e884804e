"""Whether the draws of a group may be reported, from which on, and how precise they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.engine.sampling.equilibrium import Equilibrium, equilibrium
from heldout.engine.sampling.recording import Recorded
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.uncertainty import uncertainty

STEP_BIAS = 0.1  # share of the learning coefficient that the step size may be seen to add
NORMAL = 1.96  # standard errors to either side of a 95 % interval


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The draws of one group as a look found them.

    Attributes:
        recorded: Those after burn-in.
        verdict: Whether they may be reported.
        burn_in: Draws before.
        width: Of the learning coefficient's interval, as a share of what was asked for; infinite before equilibrium.
    """

    recorded: Recorded
    verdict: Equilibrium
    burn_in: int
    width: float


def judged(recorded: Recorded, sizes: dict[str, int], centre: float, settings: Settings, sweeps: float) -> Judged:
    """The draws after the shortest burn-in with which they pass; of those that never pass, the last half.

    Args:
        recorded: All draws of the living chains.
        sizes: Parameter's name -> its entries.
        centre: Mean loss there.
        settings: What was asked for.
        sweeps: That a chain has cost.

    Returns:
        What they are worth.
    """
    count = recorded.mean_losses.shape[1]
    for burn_in in (0, count // 4, count // 2):
        late = recorded.after(burn_in)
        verdict = equilibrium(
            late.mean_losses, late.distances, late.virials, sizes, asked=settings.chains, sweeps=sweeps
        )
        if verdict.converged:
            break
    width = float("inf")
    if verdict.converged:
        excess = abs(float(late.mean_losses.mean()) - centre)
        # a normal interval with the error that was asked for is as wide as this: few effective draws must be more precise
        width = uncertainty(late.mean_losses).half_width() / max(NORMAL * settings.precision * excess, 1e-300)
    return Judged(late, verdict, burn_in, width)


def at_both_steps(runs: Sequence[Judged], nbeta: float, centre: float) -> tuple[Equilibrium, float, float]:
    """The verdict on the run with the smaller step, in the light of that with the larger one.

    Args:
        runs: One of an exact sampler; of others that at twice the step size before it.
        nbeta: n times the inverse temperature.
        centre: Mean loss there.

    Returns:
        Verdict, ``n beta`` times the mean loss at twice the step less that at the step, and the standard error of that.
    """
    first, last = runs[0], runs[-1]
    verdict, traces = last.verdict, [run.recorded.mean_losses for run in runs]
    if len(runs) == 1 or any(min(trace.shape) < 1 or trace.shape[1] < 4 for trace in traces):
        return verdict, 0.0, 0.0
    bias = nbeta * float(traces[0].mean() - traces[1].mean())
    error = nbeta * math.hypot(*map(monte_carlo_error, traces))
    excess = nbeta * abs(float(traces[1].mean()) - centre)
    if verdict.converged and not first.verdict.converged:
        verdict = replace(verdict, converged=False, reason=f"at twice the step size {first.verdict.reason}")
    elif verdict.converged and abs(bias) > max(STEP_BIAS * excess, 3 * error):
        words = f"halving the step size moved the learning coefficient by {abs(bias):.3g}; divide step_size by 4"
        verdict = replace(verdict, converged=False, reason=f"{words} and raise the budget as much")
    return verdict, bias, error
