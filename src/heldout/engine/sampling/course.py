"""Sampling under way: chains, what was recorded of them, and the looks at which groups of them end."""

import dataclasses
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.engine.sampling.convergence import Floats
from heldout.engine.sampling.curvature import Curvature
from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.judging import Judged, at_both_steps, judged
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.recording import Recorder
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.state import Sampler, State
from heldout.engine.sampling.target import Target, chain_numbers
from heldout.engine.sampling.tuning import Tuned, by_group

FIRST_LOOK = 32  # draws: of eight chains enough for a precision of 5 %
SURE = 0.5  # of the width that was asked for, at which one look is enough
LONGEST = 16  # times the draws that were asked for


@dataclass(slots=True, eq=False)
class Course:
    """Chains of some groups on their way; unadjusted samplers have every group twice, the second time at half the step size.

    Attributes:
        target: What is sampled, each group once.
        settings: How.
        test: Losses of test examples, to be kept beside those of the training examples.
        curved: Curvature at the centres.
        tuned: Coordinates, sampler and steps, of all groups.
        state: Of the chains that go on.
        going: Their groups.
        spent: Gradients over all examples a chain, ``[G]``.
        acceptance: Summed over the draws, ``[G]``.
        recorder: Of the draws so far.
        next_look: Draws at which the chains are looked at.
        count: Draws so far.
        number: Steps so far; they name the randomness of the next.
        price: Of the last draw, of the groups that go on.
        finished: Group -> draws.
        centre_losses: Of every member and training example, ``[M, N]``.
        centre_test_losses: Of every test example, ``[M, N']``; None without.
    """

    target: Target
    settings: Settings
    test: Field | None
    curved: Curvature
    tuned: Tuned
    state: State
    going: Tensor
    spent: Tensor
    acceptance: Tensor
    recorder: Recorder
    next_look: int
    count: int = 0
    number: int = 0
    price: Tensor = dataclasses.field(default_factory=lambda: torch.zeros(()))
    finished: dict[int, Draws] = dataclasses.field(default_factory=dict)
    centre_losses: Floats = dataclasses.field(init=False)
    centre_test_losses: Floats | None = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Losses at the centres, of all members by one call."""
        self.centre_losses = _at_centres(self.target.field)
        self.centre_test_losses = None if self.test is None else _at_centres(self.test)

    @classmethod
    def begun(cls, target: Target, settings: Settings, test: Field | None, curved: Curvature, tuned: Tuned) -> "Course":
        """Before the first draw.

        Args:
            target: What is sampled.
            settings: How.
            test: Test examples; None without.
            curved: Curvature at the centres.
            tuned: What the pilots found.

        Returns:
            The course.
        """
        tuned = tuned if tuned.sampler.exact else halved(tuned)
        recorder = Recorder(target.field, test, target.chains)
        going, acceptance = torch.arange(tuned.target.groups), torch.zeros_like(tuned.size)
        first = min(FIRST_LOOK, settings.draws)
        return cls(target, settings, test, curved, tuned, tuned.state, going, tuned.spent, acceptance, recorder, first)

    def centres_of(self, member: int) -> tuple[Floats, Floats | None]:
        """Losses at a member's centre.

        Args:
            member: Its number.

        Returns:
            Of the training examples ``[N]``, and of the test examples ``[N']`` where there are any.
        """
        tests = self.centre_test_losses
        return self.centre_losses[member], None if tests is None else tests[member]

    @property
    def used(self) -> float:
        """The largest share of its budget that a group that goes on has used; 1 when none does."""
        return min(1.0, float(self.spent[self.going].max()) / self.settings.budget) if len(self.going) else 1.0

    def draw(self, streams: Streams) -> None:
        """One draw of every chain.

        Args:
            streams: Random numbers.
        """
        going, exact = self.going, self.tuned.sampler.exact
        now, sampler = self.tuned.target.subset(going), _of_groups(self.tuned.sampler, going)
        self.price = torch.full_like(self.tuned.size[going], 0.0 if exact else 1.0)
        for _ in range(int(self.tuned.steps.max())):
            self.state = sampler.step(now, self.state, self.tuned.size[going], streams, self.number)
            self.number += 1
            self.price += by_group(self.state.cost, now)
        self.spent[going] += self.price
        seen = self.state if exact else self.state._replace(energy=now.energy(self.state.position))
        self.recorder.add(going, now, seen)
        self.acceptance[going] += by_group(self.state.accepted, now)
        self.count += 1

    @property
    def due(self) -> bool:
        """Whether the chains are to be looked at: the draws have doubled, or no group can pay for another one."""
        beyond = self.spent[self.going] + self.price > self.settings.budget
        return self.count >= self.next_look or bool(beyond.all())

    def look(self) -> None:
        """Judge the draws so far; end the groups that are precise, and those that cannot pay for many more draws."""
        groups, pairs = self.going.tolist(), self.target.groups
        alive = self.state.alive.view(len(groups), -1).cpu().numpy()
        sizes = {name: place.stop - place.start for name, place, _ in self.target.field.layout}
        found = {
            group: judged(
                self.recorder.of(group, row),
                sizes,
                float(self.centre_losses[self._member(group)].mean()),
                self.settings,
                float(self.spent[group]),
            )
            for group, row in zip(groups, alive, strict=True)
        }
        left: list[int] = []
        for group in groups:
            if group >= pairs:
                continue
            own = [group] if self.tuned.sampler.exact else [group, group + pairs]
            if self._ended(own, found):
                self.finished[group] = self._draws(own, [found[each] for each in own])
                self.recorder.forget(own)
            else:
                left += own
        kept = torch.tensor(sorted(left), dtype=torch.int64)
        place = torch.tensor([groups.index(group) for group in kept.tolist()], dtype=torch.int64)
        chains = chain_numbers(place, self.target.chains).to(self.state.position.device)
        self.state = tree_map(lambda leaf: leaf[chains], self.state)
        self.going, self.next_look = kept, 2 * self.count

    def _member(self, group: int) -> int:
        return int(self.target.members[group % self.target.groups])

    def _ended(self, own: list[int], found: dict[int, Judged]) -> bool:
        spent = float(self.spent[own].max())
        more = min(2.0 * self.count, self.count * self.settings.budget / spent, LONGEST * self.settings.draws)
        # of a few draws the error is known badly, and errors that came out small end here before others: a second look confirms them,
        # or the chains with the other step size, or that half of this error would have done
        once = self.tuned.sampler.exact and self.count == min(FIRST_LOOK, self.settings.draws)
        return all(found[each].width <= (SURE if once else 1.0) for each in own) or more < 1.2 * self.count

    def _draws(self, own: list[int], runs: list[Judged]) -> Draws:
        group, kept, tuned, curved = own[0], runs[-1], self.tuned, self.curved
        member = self._member(group)
        losses, tests = self.centres_of(member)
        nbeta = float(self.target.nbeta[group])
        verdict, bias, error = at_both_steps(runs, nbeta, float(losses.mean()))
        accepted = float(self.acceptance[group]) / self.count if len(own) == 1 else float(tuned.metropolis[group])
        return Draws(
            member=member,
            nbeta=nbeta,
            localisation=float(self.target.localisation[group]),
            size=self.target.field.size,
            examples=self.target.field.examples,
            recorded=kept.recorded,
            centre_losses=losses,
            centre_test_losses=tests,
            equilibrium=verdict,
            sampler=tuned.sampler.name,
            batch=getattr(tuned.sampler, "batch", None),
            step_size=float(tuned.size[own[-1]]),
            steps=int(tuned.steps.max()),
            acceptance=accepted,
            burn_in=kept.burn_in,
            sweeps=float(self.spent[own].sum()),
            largest=float(curved.largest[group]),
            smallest=float(curved.smallest[group]),
            effective=float(curved.effective[group]),
            effective_error=float(curved.effective_error[group]),
            deficit=float(curved.deficit[group]),
            step_bias=bias,
            step_bias_error=error,
        )


def _at_centres(field: Field) -> Floats:
    members = torch.arange(len(field.centres), device=field.centres.device)
    return field.losses(field.centres, members).cpu().numpy()


def halved(tuned: Tuned) -> Tuned:
    """Every group twice, the second time at half the step size.

    Args:
        tuned: What the pilots found.

    Returns:
        Twice as many groups.
    """
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


def _of_groups(sampler: Sampler, going: Tensor) -> Sampler:
    return replace(sampler, slowest=sampler.slowest[going]) if isinstance(sampler, Hmc) else sampler
