"""Products of vectors with the Hessian or the Gauss-Newton matrix of the mean training loss, of all members at once."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import grad

from heldout.engine.evidence.differentiating import stacked_outputs
from heldout.engine.population import Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject

Tensors = dict[str, Tensor]
Product = Callable[[Tensor], Tensor]  # vectors [m, D, P] -> likewise, float64
Parts = list[Tensor]  # one tensor a parameter, [D, m, ...]
Block = Callable[[Parts], Parts]  # the share of some examples

KEPT_BYTES = (
    512 * 2**20
)  # of graphs that are held from one product to the next; where they do not fit they are made anew
CACHED = (
    2 * 2**20
)  # of activations, on a CPU: with more of them vectors are quicker one by one than together (measured)
GRAPH = 4  # a graph of two derivatives holds about so many times the activations
KINDS = ("hessian", "gauss-newton")


def products_of(subject: Subject, members: slice, kind: str) -> Product:
    r"""A function that multiplies vectors by the curvature of the mean training loss.

    .. math:: H v = \nabla^2 L(w) v, \qquad G v = \frac1N \sum_i J_i^T \, \nabla^2_z \ell(z_i, y_i) \, J_i v

    J is the Jacobian of the outputs z with respect to the parameters as they were trained. The gradient's graph is made once for
    every block of examples and walked again for every vector (reverse over reverse), which is several times as quick as to
    make it anew; the Jacobian's products are the derivative of ``J^T u`` with respect to u. Sums over blocks are float64.

    Args:
        subject: What is under study; networks in evaluation mode.
        members: Which of them.
        kind: ``"hessian"`` or ``"gauss-newton"``.

    Returns:
        The function; parameters are in the population's order, each flattened.
    """
    assert kind in KINDS, kind
    population = subject.population
    shapes = [parameter.shape[1:] for parameter in population.parameters.values()]
    count = len(range(*members.indices(len(population))))
    bytes_of_one = bytes_of_example(subject)
    block = min(len(subject.train), max(1, population.memory // (bytes_of_one * count)))
    starts = range(0, len(subject.train), block)
    keep = GRAPH * bytes_of_one * count * len(subject.train) <= KEPT_BYTES
    room = population.memory if population.device.type == "cuda" else min(population.memory, CACHED)
    together = max(1, room // (bytes_of_one * count * block))
    kept: dict[int, Block] = {}

    def block_at(start: int) -> Block:
        if start in kept:
            return kept[start]
        made = _block(subject, members, slice(start, start + block), kind)
        if keep:
            kept[start] = made
        return made

    def product(vectors: Tensor) -> Tensor:
        columns = []
        for few in torch.split(vectors, together, dim=1):
            parts = [
                part.movedim(1, 0).reshape(few.shape[1], few.shape[0], *shape).to(population.dtype)
                for part, shape in zip(
                    torch.split(few, [math.prod(shape) for shape in shapes], dim=2), shapes, strict=True
                )
            ]
            total = torch.zeros_like(few, dtype=torch.float64)
            for start in starts:
                share = block_at(start)(parts)
                total += torch.cat([part.double().reshape(*part.shape[:2], -1) for part in share], dim=2).movedim(0, 1)
            columns.append(total)
        population.tally.backward += 2 * len(subject.train) * vectors.shape[0] * vectors.shape[1]
        return torch.cat(columns, dim=1) / len(subject.train)

    return product


def bytes_of_example(subject: Subject) -> int:
    """Bytes of one network's activations on one example, about.

    Args:
        subject: What is under study.

    Returns:
        At least 1.
    """
    population, train = subject.population, subject.train
    rows, block = population.chunks(train.x, per_member=train.x_per_member)
    return max(1, population.memory // (rows * block))


def _block(subject: Subject, members: slice, few: slice, kind: str) -> Block:
    population, batch = subject.population, subject.train.take(few)
    x = inputs_at(batch.x, members) if batch.x_per_member else batch.x
    x = placed(x, population.device, population.dtype)
    y = subject.train.labels(len(population))[members, few].to(population.device)
    with torch.enable_grad(), vectorisable_kernels():
        leaves = {name: tensor[members].detach().requires_grad_() for name, tensor in population.parameters.items()}
        buffers = {name: tensor[members] for name, tensor in population.buffers.items()}
        z = stacked_outputs(population, leaves, buffers, x, per_member=batch.x_per_member)
        population.tally.forward += y.shape[0] * y.shape[1]
        population.tally.backward += y.shape[0] * y.shape[1]
        return (_hessian if kind == "hessian" else _gauss_newton)(subject, z, y, list(leaves.values()))


def _hessian(subject: Subject, z: Tensor, y: Tensor, leaves: list[Tensor]) -> Block:
    gradients = grad(_summed(subject, z.double(), y), leaves, create_graph=True, materialize_grads=True)
    moving = [index for index, gradient in enumerate(gradients) if gradient.requires_grad]
    outputs = [gradients[index] for index in moving]
    return lambda vectors: _pulled(outputs, leaves, [vectors[index] for index in moving], vectors)


def _gauss_newton(subject: Subject, z: Tensor, y: Tensor, leaves: list[Tensor]) -> Block:
    weight = torch.zeros_like(z, requires_grad=True)  # J^T u is linear in u: it does not matter where it is derived
    pulled = grad(z, leaves, weight, create_graph=True, materialize_grads=True)
    moving = [index for index, part in enumerate(pulled) if part.requires_grad]
    outputs = [pulled[index] for index in moving]
    answers = z.detach().double().requires_grad_()
    slopes = grad(_summed(subject, answers, y), answers, create_graph=True, materialize_grads=True)[0]

    def block(vectors: Parts) -> Parts:
        pushed = _pulled(outputs, [weight], [vectors[index] for index in moving])
        bent = _pulled([slopes] if slopes.requires_grad else [], [answers], [pushed[0].double()], pushed)
        return _pulled([z], leaves, [bent[0].to(z.dtype)])

    return block


def _summed(subject: Subject, z: Tensor, y: Tensor) -> Tensor:
    """Losses added over examples and members: members are independent, so that its gradient is that of each."""
    return torch.stack([subject.loss.per_example(*pair).sum() for pair in zip(z, y, strict=True)]).sum()


def _pulled(outputs: list[Tensor], inputs: list[Tensor], vectors: Parts, like: Parts | None = None) -> Parts:
    """Vector-Jacobian products ``[D, ...]`` of D vectors at once; zeros like these where nothing depends on the inputs."""
    if not outputs:
        return [torch.zeros_like(part) for part in like or []]
    if len(vectors[0]) == 1:
        flat = grad(outputs, inputs, [vector[0] for vector in vectors], retain_graph=True, materialize_grads=True)
        return [part.unsqueeze(0) for part in flat]
    try:
        with vectorisable_kernels():
            found = grad(outputs, inputs, vectors, retain_graph=True, is_grads_batched=True, materialize_grads=True)
        return list(found)
    except RuntimeError:  # some kernels' second derivatives have no rule under vmap; one by one gives the same numbers
        rows = [_pulled(outputs, inputs, [v[d : d + 1] for v in vectors]) for d in range(len(vectors[0]))]
        return [torch.cat(column) for column in zip(*rows, strict=True)]


def flat_magnitudes(population: Population, members: slice) -> Tensor:
    """Absolute values of all parameters, in the order of the vectors.

    Args:
        population: The networks.
        members: Which of them.

    Returns:
        ``[m, P]``, float64.
    """
    chosen = [part[members].double().abs() for part in population.parameters.values()]
    return torch.cat([part.reshape(len(part), -1) for part in chosen], dim=1)  # a scalar has no second axis to flatten


def weighted(product: Product, scale: Tensor) -> Product:
    r"""The operator in other coordinates: ``diag(c) A diag(c)``.

    With ``c = |w|`` it does not move when ReLU layers are rescaled.

    Args:
        product: A.
        scale: c, ``[m, P]``.

    Returns:
        Its product.
    """
    c = scale.unsqueeze(1)
    return lambda vectors: c * product(c * vectors)
