"""How much the outputs can change with the inputs: at most, by the weights; at least, by gradients that were found."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import vjp
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.chains import LayerMatrices, is_dense_sized
from heldout.engine.numerics.lipschitz import STEPS, absolute_product, combettes_pesquet, product_of_norms, quadratic
from heldout.engine.population import Population, stream
from heldout.engine.population.calling import inputs_at, placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

WIDEST = 256  # units of a layer; beyond, the quadratic bound is not lowered by descent: a step costs their cube
EXAMPLES = 32  # training examples, and as many points between two of them
ROUNDS = 4
FEWEST = 4  # points at once, however little the memory
REACH = 0.5  # of the inputs' standard deviation: the first move of the search
BETTER = 1 + 1e-5  # what is no more than rounding is no improvement
MOST_OUTPUTS = 32
INSTEAD = "use prod-of-operator-norms, or input gradients"


class LipschitzBounds(NamedTuple):
    """Upper bounds on the Lipschitz constant of the outputs, each ``[M]``, float64.

    Attributes:
        product: Of the layers' norms.
        pieces: Of Combettes and Pesquet.
        absolute: Norm of the product of absolute values.
        quadratic: From quadratic constraints on every unit.
    """

    product: Tensor
    pieces: Tensor
    absolute: Tensor
    quadratic: Tensor


class InputSteepness(NamedTuple):
    """The steepest changes of the outputs that were found.

    Attributes:
        outputs: Largest norm of the Jacobian of the raw outputs, ``[M]``, float64.
        at_examples: The same at training examples only.
        laws: Largest gradient norm of one class's probability, or one target, in units of the inputs' spread and of the
            labels' standard deviation, ``[M]``.
    """

    outputs: Tensor
    at_examples: Tensor
    laws: Tensor


def has_slopes_to_one(subject: Subject) -> None:
    """Demand a chain of layers and ReLUs whose slopes lie between 0 and 1.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is in the way.
    """
    is_dense_sized(subject)
    for name, module in subject.population.template.named_modules():
        if isinstance(module, nn.LeakyReLU) and not 0 <= module.negative_slope <= 1:
            raise NotApplicable(f"'{name}' has a slope that is not between 0 and 1", do=INSTEAD)


def has_input_gradients(subject: Subject) -> None:
    """Demand inputs that are one tensor of real numbers.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If they are not.
    """
    leaves = tree_leaves(subject.probe)
    if len(leaves) != 1 or not leaves[0].is_floating_point():
        raise NotApplicable("the inputs are no single tensor of real numbers", do="use the norms of the weight layers")


@evidence(thorough=True, requires=has_slopes_to_one)
def lipschitz_bounds(layer_matrices: LayerMatrices) -> LipschitzBounds:
    """Four upper bounds from the layers as matrices on the data, without biases."""
    *inner, last = layer_matrices.matrices
    matrices = [one[:, :-1, :-1] for one in inner] + [last[:, :, :-1]]
    steps = STEPS if max((one.shape[1] for one in matrices[:-1]), default=0) <= WIDEST else 0
    return LipschitzBounds(
        product_of_norms(matrices),
        combettes_pesquet(matrices),
        absolute_product(matrices),
        quadratic(matrices, steps=steps),
    )


@evidence(requires=has_input_gradients)
def input_entries(subject: Subject) -> int:
    """The number of entries of one input d."""
    return int(tree_leaves(subject.probe)[0].numel())


@evidence(forward=1, backward=4, thorough=True, requires=has_input_gradients)
def input_steepness(subject: Subject, labels: Tensor, seed: int) -> InputSteepness:
    """Largest gradients at some training examples, between them, and where moves at random made them larger.

    Every point climbs by itself: moves that shrink by half each round, kept where the Jacobian's norm grows. Gradients of a
    piecewise linear network have no gradient that could be followed.

    Args:
        subject: What is under study.
        labels: ``[M, N, ...]``.
        seed: Of points and moves, the same for all members.

    Returns:
        What was found.
    """
    population, train = subject.population, subject.train
    count = min(EXAMPLES, len(train))
    chosen = torch.randperm(len(train), generator=stream(seed, "steepest"))[:count]
    x = placed(tree_leaves(train.take(chosen).x)[0], population.device, population.dtype)
    x = x if train.x_per_member else x.expand(len(population), *x.shape)
    share = torch.rand(count, generator=stream(seed, "between")).to(x).reshape(count, *[1] * (x.ndim - 2))
    points = torch.cat([x, torch.lerp(x, x.roll(1, 1), share)], dim=1)
    spread, scale = _scales(subject, labels)
    best, law = _slopes(subject, points, scale)
    at_examples, laws = best[:, :count].amax(1), law.amax(1)
    for step in range(ROUNDS):
        draw = torch.randn(points.shape[1:], generator=stream(seed, "climb", step)).to(points)
        away = draw * (REACH * 0.5**step * spread / draw[0].numel() ** 0.5).reshape(-1, *[1] * draw.ndim).to(points)
        found, law = _slopes(subject, points + away, scale)
        up = found > BETTER * best
        points = torch.where(up.reshape(*up.shape, *[1] * (points.ndim - 2)), points + away, points)
        best, laws = torch.where(up, found, best), torch.maximum(laws, law.amax(1))
    return InputSteepness(best.amax(1), at_examples, laws * spread)


def _scales(subject: Subject, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Root of the inputs' total variance ``[M]``, and the labels' standard deviations ``[M, C]``."""
    x = tree_leaves(subject.train.x)[0].to(subject.population.device).double()
    x = x.flatten(2) if subject.train.x_per_member else x.flatten(1).unsqueeze(0)
    spread = x.var(1, correction=0).sum(1).sqrt().expand(len(labels))
    if subject.loss.task != "classification":
        return spread, labels.reshape(*labels.shape[:2], -1).double().std(1, correction=0)
    classes = int(labels.max()) + 1
    shares = torch.nn.functional.one_hot(labels.long(), classes).double().mean(1)
    return spread, (shares * (1 - shares)).sqrt()


def _slopes(subject: Subject, points: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Norms of Jacobians, and the largest scaled gradient of one probability or target, ``[M, n]`` each."""
    population: Population = subject.population
    block = max(FEWEST, population.chunks(points, per_member=True)[1])
    columns = []
    for start in range(0, points.shape[1], block):
        few = inputs_at(points, slice(start, start + block), per_member=True)
        columns.append(_of_members(subject, few, scale))
    slopes, laws = (torch.cat(column, dim=1) for column in zip(*columns, strict=True))
    return slopes, laws


def _of_members(subject: Subject, x: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    population, classification = subject.population, subject.loss.task == "classification"

    def norms(parameters: Any, buffers: Any, x: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        made: Any = vjp(lambda inputs: population.call_one(parameters, buffers, inputs).flatten(1), x)
        outputs, pull = made
        width = outputs.shape[1]
        listed = list(range(0, width, -(-width // MOST_OUTPUTS)))  # evenly spaced where there are too many
        rows = []
        for one in listed:  # examples do not meet in evaluation mode: a column's sum holds every example's gradient
            only = torch.zeros_like(outputs)
            only[:, one] = 1.0
            rows.append(pull(only)[0].flatten(1).double())
        jacobian = torch.stack(rows, 1)
        gram = jacobian @ jacobian.transpose(1, 2)
        largest = torch.linalg.eigvalsh(gram)[:, -1].clamp(min=0.0).sqrt()
        own = torch.nn.functional.pad(scale, (0, max(0, width - len(scale))))[listed]
        steep = torch.where(own > 0, _gradients(gram, outputs[:, listed].double(), classification, width) / own, 0.0)
        return largest, steep.amax(1)

    population.tally.forward += x.shape[0] * x.shape[1]
    population.tally.backward += x.shape[0] * x.shape[1] * min(MOST_OUTPUTS, scale.shape[1])
    with torch.no_grad(), vectorisable_kernels():
        if len(population) > 1 and population.stackable(x, per_member=True):
            together, _ = population.chunks(x, per_member=True)
            mapped = torch.vmap(norms, chunk_size=together)
            return mapped(population.parameters, population.buffers, x, scale)
    # recurrent kernels have a backward only where it could be differentiated again
    with torch.enable_grad(), vectorisable_kernels():
        rows = [norms(*population.tensors(m), x[m], scale[m]) for m in range(len(population))]
    return torch.stack([row[0] for row in rows]).detach(), torch.stack([row[1] for row in rows]).detach()


def _gradients(gram: Tensor, outputs: Tensor, classification: bool, width: int) -> Tensor:
    """Gradient norms of probabilities, or of the outputs themselves, ``[n, C]``, from the outputs' Gram matrix."""
    if not classification:
        return gram.diagonal(dim1=1, dim2=2).clamp(min=0.0).sqrt()
    if width == 1:
        chance = outputs.sigmoid()
        return chance * (1 - chance) * gram[:, 0].clamp(min=0.0).sqrt()
    chance = outputs.softmax(-1)
    mixing = torch.diag_embed(chance) - chance.unsqueeze(2) * chance.unsqueeze(1)
    return (mixing @ gram @ mixing).diagonal(dim1=1, dim2=2).clamp(min=0.0).sqrt()
