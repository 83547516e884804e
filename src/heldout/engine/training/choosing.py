"""The choice of a plan: a short measurement, remembered for each shape of work."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import ceil

import torch
from torch.utils._pytree import tree_leaves, tree_map

from heldout.engine.population import Population
from heldout.engine.population.budget import bytes_of
from heldout.engine.population.vectorising import activation_bytes
from heldout.engine.subject import Examples, Loss
from heldout.engine.training.batches import Batches
from heldout.engine.training.limits import memory_budget
from heldout.engine.training.memory import remembered, remembering
from heldout.engine.training.plans import Plan
from heldout.engine.training.recipe import Recipe
from heldout.engine.training.stacks import Stacks
from heldout.records import Refusal

#: Seconds that a first compilation is reckoned to take, and what share of a step it saves at least; measured, see benchmarks.
COMPILATION, SAVED = 12.0, 0.25
STEPS = 3  # timed, after one that is not
LONGEST, PATIENCE, LOOKS = (
    0.3,
    0.003,
    3,
)  # seconds of a longer look, at most this share of the work ahead, in so many parts
FEW = 20  # steps that are taken before a measurement would have paid


def chosen_plan(
    population: Population,
    examples: Examples,
    loss: Loss,
    recipe: Recipe,
    batches: Batches,
    seed: int,
    numbers: Sequence[int],
    *,
    memory: int | str | None = None,
) -> Plan:
    """The fastest plan for a piece of work, found by trying.

    Stacks of several sizes, members one by one, and one or more workers are each run for a few steps on copies. A step is
    compiled where the work ahead pays for the compilation.

    Args:
        population: The networks.
        examples: The training set.
        loss: One an example.
        recipe: How they are trained.
        batches: The order of examples.
        seed: Of everything random.
        numbers: The members' numbers.
        memory: Bytes that all stacks under way may take together; that of the block around (:mod:`limits`)
            or half of the machine's free memory unless given.

    Returns:
        The plan.
    """
    budget = memory_budget() if memory is None else bytes_of(memory)
    fits = most_members(population, examples, recipe, batches, budget)
    key = _shape(population, examples, recipe, batches)
    known = remembered(key)

    def milliseconds(plan: Plan) -> float:
        if plan.to_dict() not in [entry["plan"] for entry in known]:
            taken = _timed(population, examples, loss, recipe, batches, seed, numbers, plan)
            known.append({"plan": plan.to_dict(), "milliseconds": taken})
            remembering(key, known)
        return next(float(entry["milliseconds"]) for entry in known if entry["plan"] == plan.to_dict())

    candidates = list(_candidates(population, examples, fits))
    if recipe.steps <= FEW or len(candidates) == 1:
        return candidates[0]
    candidates.sort(key=milliseconds)
    eager = candidates[0]
    ahead = milliseconds(eager) / 1000 * len(population) * recipe.steps
    tries = 0 if not eager.mapped or _no_compiler() else int(ahead * SAVED // COMPILATION)
    compiled = [replace(plan, compiled=True) for plan in candidates if plan.mapped][:tries]
    return min([eager, *compiled], key=_unless_it_fails(milliseconds))


def most_members(
    population: Population, examples: Examples, recipe: Recipe, batches: Batches, memory: int | None
) -> int:
    """How many members may be under way at once within a budget of memory.

    Args:
        population: The networks.
        examples: The training set.
        recipe: How they are trained.
        batches: The order of examples.
        memory: Bytes; the machine's free memory unless given.

    Returns:
        At least 1.

    Raises:
        Refusal: If not even one member fits.
    """
    one = bytes_of_a_member(population, examples, recipe, batches)
    budget = memory if memory is not None else free_memory(population.device) // 2
    if memory is not None and one > memory:
        raise Refusal(
            given=f"memory was {memory} bytes, and one member in training takes {one}",
            expected="room for at least one member",
            do=f"pass memory={one} or more, or a smaller batch_size",
        )
    return int(max(1, min(len(population), budget // one)))


def bytes_of_a_member(population: Population, examples: Examples, recipe: Recipe, batches: Batches) -> int:
    """What one member takes while a step is under way: weights, gradients, optimiser, batch, activations and their gradients.

    Args:
        population: The networks.
        examples: The training set.
        recipe: How they are trained.
        batches: The order of examples.

    Returns:
        Bytes.
    """
    example = examples.take(slice(0, 1)).x
    if examples.x_per_member:
        example = tree_map(lambda leaf: leaf[0], example)
    weights = sum(t[0].numel() * t.element_size() for t in tree_leaves((population.parameters, population.buffers)))
    copies = 6 if recipe.optimizer in ("adam", "adamw") else 5  # before, gradient, memory before and after, after
    return copies * weights + 4 * batches.size * activation_bytes(population, example)


def free_memory(device: torch.device) -> int:
    """Bytes that are free where the networks are.

    Args:
        device: Of the networks.

    Returns:
        Bytes.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _candidates(population: Population, examples: Examples, fits: int) -> Iterator[Plan]:
    members, threads = len(population), torch.get_num_threads()
    if population.device.type != "cpu":
        yield Plan(min(members, fits), 1, threads)
        return
    workers = max(1, min(threads, fits, members))
    each = max(1, threads // workers)
    example = tree_map(lambda leaf: leaf[:1] if not examples.x_per_member else leaf[0, :1], examples.x)
    if members == 1 or not population.stackable(example):
        yield Plan(1, workers, each, mapped=False)
        if members == 1 and threads > 1:
            yield Plan(1, 1, threads, mapped=False)
        return
    yield Plan(min(members, fits), 1, threads)
    half = min(ceil(members / workers), max(1, fits // workers))
    for size in sorted({half, *(size for size in (8, 32) if size < half)}):
        yield Plan(size, workers, each)
    yield Plan(1, workers, each, mapped=False)


def _timed(
    population: Population,
    examples: Examples,
    loss: Loss,
    recipe: Recipe,
    batches: Batches,
    seed: int,
    numbers: Sequence[int],
    plan: Plan,
) -> float:
    """Milliseconds a member and step, over as many members as keep the plan's workers busy."""
    some = min(len(population), plan.chunk * plan.workers)
    trial = population.with_tensors(
        {name: tensor[:some] for name, tensor in population.parameters.items()},
        {name: tensor[:some] for name, tensor in population.buffers.items()},
    )
    seen = replace(
        examples,
        x=tree_map(lambda leaf: leaf[:some], examples.x) if examples.x_per_member else examples.x,
        y=examples.y[:some] if examples.y_per_member else examples.y,
    )
    own = recipe.for_members(range(some))
    with Stacks(trial, seen, loss, own, batches, seed, list(numbers[:some]), plan) as stacks:
        stacks.advance(0, 1)

        def seconds(steps: int) -> float:
            started = time.perf_counter()
            stacks.advance(1, 1 + steps)
            return (time.perf_counter() - started) / steps

        first = seconds(STEPS)
        ahead = first * recipe.steps * len(population) / some
        more = int(min(LONGEST, PATIENCE * ahead) / first)
        # where much work is ahead a longer look pays: the best of several, as what disturbs a run only ever slows it down
        looks = [seconds(max(STEPS, more // LOOKS)) for _ in range(LOOKS if more > STEPS else 0)]
        return min([first, *looks]) * 1000 / some


def _unless_it_fails(measured: Callable[[Plan], float]) -> Callable[[Plan], float]:
    def milliseconds(plan: Plan) -> float:
        try:
            return measured(plan)
        except Exception:  # a graph that the compiler cannot build is trained without it
            return float("inf")

    return milliseconds


def _no_compiler() -> bool:
    from shutil import which

    return not any(which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++"))


def _shape(population: Population, examples: Examples, recipe: Recipe, batches: Batches) -> str:
    shapes = [tuple(leaf.shape) for leaf in tree_leaves(examples.x)]
    kinds = [type(piece).__name__ for piece in recipe.interventions]
    return repr((
        str(population.template), len(population), str(population.dtype), str(population.device.type), shapes,
        examples.x_per_member, batches.size, recipe.optimizer, kinds, torch.get_num_threads(), torch.__version__,
    ))  # fmt: skip
