"""The stacks of a training under way: members cut into chunks, advanced by workers, and put together again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, get_ident
from types import TracebackType
from typing import Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.engine.population import Population
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Examples, Loss
from heldout.engine.training.batches import Batches
from heldout.engine.training.compiling import CompiledStep, compiler
from heldout.engine.training.counting import keys
from heldout.engine.training.optimizers import Rates, slots
from heldout.engine.training.plans import Plan
from heldout.engine.training.recipe import Recipe
from heldout.engine.training.step import Data, Draw, State, Step, make_step
from heldout.engine.training.templates import training_template

BLOCK = 2**21  # indices drawn ahead at a time


class Stacks:
    """Members under training.

    Args:
        population: As initialised.
        examples: On its device.
        loss: One an example.
        recipe: How they are trained.
        batches: The order of examples.
        seed: Of everything random.
        numbers: The members' numbers.
        plan: How it is carried out.
    """

    def __init__(
        self,
        population: Population,
        examples: Examples,
        loss: Loss,
        recipe: Recipe,
        batches: Batches,
        seed: int,
        numbers: Sequence[int],
        plan: Plan,
    ) -> None:
        self.population, self.examples, self.loss, self.recipe = population, examples, loss, recipe
        self.batches, self.seed, self.numbers, self.plan = batches, seed, list(numbers), plan
        self.trained = [name for name, p in population.template.named_parameters() if p.requires_grad]
        self.final = {n: t.detach().clone() for n, t in {**population.parameters, **population.buffers}.items()}
        own = {name: tensor for piece in recipe.interventions for name, tensor in piece.tensors().items()}
        self.own = {name: tensor.to(population.device) for name, tensor in own.items()}
        self.rates = {name: recipe.each(name, range(len(population))) for name in ("lr", "momentum", "weight_decay")}
        parameters = {name: self.final[name] for name in self.trained}
        still = {n: tensor for n, tensor in self.final.items() if n not in parameters}
        state = State(parameters, still, slots(recipe, parameters))
        self.chunks = self._cut(list(range(len(population))), state)
        self._before = torch.get_num_threads()
        self._steps: dict[int, Step] = {}
        self._lock = Lock()
        if plan.compiled:
            compiler()  # imported here, where nobody else runs
        self._pool = ThreadPoolExecutor(plan.workers, initializer=torch.set_num_threads, initargs=(plan.threads,))

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers go and give their threads back."""
        self._pool.shutdown(cancel_futures=True)
        torch.set_num_threads(self._before)

    def advance(self, first: int, last: int) -> list[int]:
        """Take steps with every member that is left.

        Args:
            first: From 0.
            last: Exclusive.

        Returns:
            Members whose loss was not finite at some step, or whose weights are not at the end.
        """
        with vectorisable_kernels():  # the switches are the process's, so they are set once and not by every worker
            jobs = [self._pool.submit(self._run, place, first, last) for place in range(len(self.chunks))]
            return sorted({member for job in jobs for member in job.result()})

    def looked(self, members: list[int]) -> tuple[Tensor, Tensor]:
        """The whole training set, in evaluation mode.

        Args:
            members: Those that are left.

        Returns:
            Mean losses and numbers of errors, ``[m]`` each; errors are 0 where the task is not classification.
        """
        population = self._population(members)
        per_member = self.examples.x_per_member
        x = tree_map(lambda leaf: leaf[members], self.examples.x) if per_member else self.examples.x
        outputs = population(x, per_member=per_member)
        labels = self.examples.labels(len(self.numbers))[members]
        seen = torch.stack([self.batches.seen(self.numbers[member]) for member in members]).to(outputs.device)
        rows = torch.arange(len(members), device=outputs.device)[:, None]
        outputs, labels = outputs[rows, seen], labels[rows, seen]
        losses = torch.stack([
            self.loss.per_example(o.double(), y).mean() for o, y in zip(outputs, labels, strict=True)
        ])
        if self.loss.name == "binary-cross-entropy":
            return losses, ((outputs.reshape(labels.shape) > 0) != (labels > 0.5)).flatten(1).sum(1)
        if self.loss.task != "classification" or outputs.ndim < 3:
            return losses, torch.zeros(len(members), dtype=torch.int64)
        return losses, (outputs.argmax(-1) != labels).sum(1)

    def keep(self, active: list[int]) -> None:
        """Put aside the members that stopped and close the ranks.

        Args:
            active: Those that go on.
        """
        left = set(active)
        if all(set(members) <= left for members, _ in self.chunks):
            return
        self._put_aside()
        pieces = [
            (member, tree_map(lambda leaf, p=place: leaf[p : p + 1], state))
            for members, state in self.chunks
            for place, member in enumerate(members)
            if member in left
        ]
        if not pieces:
            self.chunks = []
            return
        together = tree_map(lambda *leaves: torch.cat(leaves), *[state for _, state in pieces])
        self.chunks = self._cut([member for member, _ in pieces], together)

    def whole(self) -> Population:
        """The population as it is now, members in their order."""
        self._put_aside()
        return self._population(list(range(len(self.numbers))))

    def _population(self, members: list[int]) -> Population:
        self._put_aside()
        tensors = {name: tensor[members] for name, tensor in self.final.items()}
        names = self.population.parameters
        return self.population.with_tensors(
            {name: tensors[name] for name in names}, {n: tensors[n] for n in self.population.buffers}
        )

    def _put_aside(self) -> None:
        for members, state in self.chunks:
            for name, tensor in {**state.parameters, **state.buffers}.items():
                self.final[name][members] = tensor[: len(members)]

    def _cut(self, members: list[int], state: State) -> list[tuple[list[int], State]]:
        """Chunks of the plan's size; under compilation the last is filled up with copies, so that shapes stay the same."""
        size, chunks = self.plan.chunk, []
        for start in range(0, len(members), size):
            own = members[start : start + size]
            rows = list(range(start, start + len(own)))
            if self.plan.compiled:
                rows += [rows[-1]] * (size - len(rows))
            chunks.append((own, tree_map(lambda leaf, r=rows: leaf[r].contiguous(), state)))
        return chunks

    def _run(self, place: int, first: int, last: int) -> list[int]:
        members, state = self.chunks[place]
        filled = members + [members[-1]] * (len(next(iter(state.parameters.values()))) - len(members))
        step, data, own = self._step(), self._data(filled), {n: t[filled] for n, t in self.own.items()}
        spoilt = torch.zeros(len(filled), dtype=torch.bool, device=self.population.device)
        device = self.population.device
        numbers = torch.tensor([self.numbers[member] for member in filled], device=device)
        each = {name: rates[filled].to(device) for name, rates in self.rates.items()}
        ones = torch.ones_like(each["lr"])
        ahead = max(1, BLOCK // (len(filled) * self.batches.size))
        with torch.no_grad():
            for block in range(first, last, ahead):
                until = min(last, block + ahead)
                index = None if self.batches.whole else self._indices(filled, block, until).to(device)
                steps = torch.arange(block, until, device=device)[:, None]
                factors = torch.tensor([self.recipe.rate_factor(now) for now in range(block, until)], dtype=ones.dtype)
                # what differs from step to step is made for the whole block: small operations are what a step can least afford
                key, rate, taken = (
                    keys(self.seed, numbers, steps),
                    each["lr"] * factors.to(device)[:, None],
                    steps * ones,
                )
                for at in range(until - block):
                    rates = Rates(rate[at], each["momentum"], each["weight_decay"], taken[at])
                    state, losses = step(state, data, Draw(None if index is None else index[at], key[at], rates), own)
                    spoilt |= ~torch.isfinite(losses)
            for weights in state.parameters.values():  # the last step may have spoilt what no loss has seen yet
                spoilt |= ~torch.isfinite(weights).flatten(1).all(1)
        self.chunks[place] = (members, state)
        return [member for member, lost in zip(members, spoilt.tolist(), strict=False) if lost]

    def _indices(self, members: list[int], first: int, last: int) -> Tensor:
        numbers = [self.numbers[member] for member in members]
        order = self.recipe.order
        if order is None:
            orders = numbers
        else:
            orders = [order] * len(members) if isinstance(order, int) else [int(order[member]) for member in members]
        return self.batches.at(orders, numbers, first, last)

    def _data(self, members: list[int]) -> Data:
        examples = self.examples
        x = tree_map(lambda leaf: leaf[members], examples.x) if examples.x_per_member else examples.x
        y = examples.y[members] if examples.y_per_member else examples.y
        return Data(x, y, examples.x_per_member, examples.y_per_member)

    def _step(self) -> Step:
        worker = 0 if self.plan.compiled else get_ident()  # plain calls swap a module's tensors, so each needs its own
        with self._lock:
            if worker in self._steps:
                return self._steps[worker]
            template = training_template(self.population.template, self.recipe)
            step = make_step(template, self.loss, self.recipe, mapped=self.plan.mapped)
            self._steps[worker] = CompiledStep(step) if self.plan.compiled else step
            return self._steps[worker]
