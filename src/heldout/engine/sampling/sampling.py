"""Sampling from beginning to end: pilot, chains, looks at them in growing intervals, and the decision whether to report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.engine.sampling.curvature import Curvature, at_centres, curvature, spectra
from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.equilibrium import Equilibrium, equilibrium
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.recording import Recorded, Recorder
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.target import Target, chain_numbers
from heldout.engine.sampling.tuning import Tuned, by_group, tune
from heldout.engine.sampling.uncertainty import uncertainty

STEP_BIAS = 0.1  # share of the learning coefficient that the step size may be seen to add
FIRST_LOOK = 32  # draws: of eight chains enough for a precision of 5 %
SURE = 0.5  # of the width that was asked for, at which one look is enough
LONGEST = 16  # times the draws that were asked for
NORMAL = 1.96  # standard errors to either side of a 95 % interval
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    recorded: Recorded
    verdict: Equilibrium
    burn_in: int
    width: float  # of the interval, as a share of what was asked for; infinite before equilibrium


def sample(
    target: Target, settings: Settings, *, test: Field | None = None, progress: Progress | None = None
) -> tuple[Draws, ...]:
    """Sample every group of a target until its draws are precise, or are out of budget; say of each whether it converged.

    Unadjusted samplers run twice, at a step size and at half of it: the draws are of the smaller one, and the difference of
    their mean losses is the bias of the larger and a bound for what is left.

    Args:
        target: Members, temperatures, localisations.
        settings: How.
        test: Losses of test examples, to be kept beside those of the training examples.
        progress: Told when the pilots are done, at every look, and every second between, with the largest share of its budget that
            a group has used.

    Returns:
        Draws in the order of the groups.
    """
    streams = Streams(settings.seed, target.chains)
    sampler, batch = settings.chosen(target.field.examples)
    known = spectra(target, streams)
    curved = curvature(target, known, streams)
    tuned = tune(sampler, target, at_centres(target, known), curved, streams, batch, settings.step_size)
    told = time.monotonic()
    if progress:
        progress("coordinates and steps found", min(1.0, float(tuned.spent.max()) / settings.budget))
    if not sampler.exact:
        tuned = _halved(tuned)
    whole = tuned.target
    recorder = Recorder(target.field, test, target.chains)
    finished: dict[int, Draws] = {}
    going = torch.arange(whole.groups)
    state, size, spent, acceptance = tuned.state, tuned.size, tuned.spent, torch.zeros_like(tuned.size)
    steps = int(tuned.steps.max())
    first = next_look = min(FIRST_LOOK, settings.draws)
    count, number = 0, 0
    while len(going):
        now = whole.subset(going)
        runner = _of_groups(tuned, going)
        price = torch.full_like(size[going], 0.0 if sampler.exact else 1.0)
        for _ in range(steps):
            state = runner.sampler.step(now, state, size[going], streams, number)
            number += 1
            price += by_group(state.cost, now)
        spent[going] += price
        seen = state if sampler.exact else state._replace(energy=now.energy(state.position))
        recorder.add(going, now, seen)
        acceptance[going] += by_group(state.accepted, now)
        count += 1
        ended = count >= next_look or bool((spent[going] + price > settings.budget).all())
        if not ended:
            if progress and time.monotonic() > told + 1:
                told = time.monotonic()
                progress(f"{count} draws", min(1.0, float(spent[going].max()) / settings.budget))
            continue
        alive = state.alive.view(len(going), -1).cpu().numpy()
        rows = {group: alive[place] for place, group in enumerate(going.tolist())}
        judged = {g: _judged(recorder.of(g, rows[g]), target, g, settings, float(spent[g])) for g in rows}
        left = []
        for g in [g for g in rows if g < target.groups]:
            own = [g] if sampler.exact else [g, g + target.groups]
            more = min(2.0 * count, count * settings.budget / float(spent[own].max()), LONGEST * settings.draws)
            # of a few draws the error is known badly, and errors that came out small end here before others: a second look confirms
            # them, or the chains with the other step size, or that half of this error would have done
            wanted = SURE if sampler.exact and count == first else 1.0
            done = all(judged[each].width <= wanted for each in own)
            if done or more < 1.2 * count:
                finished[g] = _draws(target, own, judged, tuned, curved, settings, spent, acceptance / count, test)
            else:
                left += own
        if progress:
            progress(f"{count} draws", min(1.0, max([float(spent[g]) / settings.budget for g in left], default=1.0)))
        kept = torch.tensor(sorted(left), dtype=torch.int64)
        place = torch.tensor([going.tolist().index(g) for g in kept.tolist()], dtype=torch.int64)
        chains = chain_numbers(place, target.chains).to(state.position.device)
        state = tree_map(lambda leaf, chains=chains: leaf[chains], state)
        going, next_look = kept, 2 * count
    return tuple(finished[g] for g in range(target.groups))


def _halved(tuned: Tuned) -> Tuned:
    """Every group twice, the second time at half the step size."""
    twice = torch.arange(tuned.target.groups).repeat(2)
    chains = chain_numbers(twice, tuned.target.chains)
    return replace(
        tuned,
        target=tuned.target.subset(twice),
        state=tree_map(lambda leaf: leaf[chains], tuned.state),
        size=torch.cat([tuned.size, 0.5 * tuned.size]),
        steps=2 * tuned.steps[twice],
        spent=tuned.spent[twice],
    )


def _of_groups(tuned: Tuned, going: Tensor) -> Tuned:
    slowest = getattr(tuned.sampler, "slowest", None)
    if slowest is None:
        return tuned
    return replace(tuned, sampler=replace(tuned.sampler, slowest=slowest[going]))  # type: ignore[type-var]


def _judged(recorded: Recorded, target: Target, group: int, settings: Settings, sweeps: float) -> _Judged:
    """The draws after the shortest burn-in with which they pass; of those that never pass, the last half."""
    sizes = {name: place.stop - place.start for name, place, _ in target.field.layout}
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
        place = group % target.groups
        centre = target.field.losses(target.field.centres[target.members[[place]]], target.members[[place]])
        excess = abs(float(late.mean_losses.mean() - centre.mean()))
        # a normal interval with the error that was asked for is as wide as this: few effective draws must be more precise
        width = uncertainty(late.mean_losses).half_width() / max(NORMAL * settings.precision * excess, 1e-300)
    return _Judged(late, verdict, burn_in, width)


def _draws(
    target: Target,
    own: list[int],
    judged: dict[int, _Judged],
    tuned: Tuned,
    curved: Curvature,
    settings: Settings,
    spent: Tensor,
    acceptance: Tensor,
    test: Field | None,
) -> Draws:
    group, last = own[0], own[-1]
    found, member = judged[last], target.members[[group]]
    centre = target.field.centres[member]
    nbeta = float(target.nbeta[group])
    bias, error, verdict = 0.0, 0.0, found.verdict
    if len(own) > 1 and all(
        min(judged[each].recorded.mean_losses.shape) and judged[each].recorded.mean_losses.shape[1] >= 4 for each in own
    ):
        coarse, fine = (judged[each].recorded.mean_losses for each in own)
        bias = nbeta * float(coarse.mean() - fine.mean())
        error = nbeta * float(np.hypot(monte_carlo_error(coarse), monte_carlo_error(fine)))
        excess = nbeta * abs(float(fine.mean()) - float(target.field.losses(centre, member).mean()))
        if verdict.converged and not judged[group].verdict.converged:
            verdict = replace(verdict, converged=False, reason=f"at twice the step size {judged[group].verdict.reason}")
        elif verdict.converged and abs(bias) > max(STEP_BIAS * excess, 3 * error):
            words = f"halving the step size moved the learning coefficient by {abs(bias):.3g}; divide step_size by 4"
            verdict = replace(verdict, converged=False, reason=f"{words} and raise the budget as much")
    exact = len(own) == 1
    return Draws(
        member=int(target.members[group]),
        nbeta=nbeta,
        localisation=float(target.localisation[group]),
        size=target.field.size,
        examples=target.field.examples,
        recorded=found.recorded,
        centre_losses=target.field.losses(centre, member)[0].cpu().numpy(),
        centre_test_losses=None if test is None else test.losses(centre, member)[0].cpu().numpy(),
        equilibrium=verdict,
        sampler=tuned.sampler.name,
        batch=getattr(tuned.sampler, "batch", None),
        step_size=float(tuned.size[last]),
        steps=int(tuned.steps.max()),
        acceptance=float(acceptance[group] if exact else tuned.metropolis[group]),
        burn_in=found.burn_in,
        sweeps=float(spent[own].sum()),
        largest=float(curved.largest[group]),
        smallest=float(curved.smallest[group]),
        effective=float(curved.effective[group]),
        effective_error=float(curved.effective_error[group]),
        deficit=float(curved.deficit[group]),
        step_bias=bias,
        step_bias_error=error,
    )
