"""How much the predicted probabilities change with the input: norms of the Jacobian at training points."""

import torch
from torch import Tensor
from torch.func import vjp
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.by_member import blocks_of, by_member
from heldout.engine.evidence.outputs import class_scores
from heldout.engine.population import Inputs, stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_POINTS = 256
MOST_DIRECTIONS = 16  # up to so many outputs the norm is exact; of more, random orthonormal combinations are taken


def inputs_are_numbers(subject: Subject) -> None:
    """Demand inputs that can be moved a little.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If an input holds whole numbers.
    """
    if not all(leaf.is_floating_point() for leaf in tree_leaves(subject.train.x)):
        raise NotApplicable("the inputs are whole numbers, such as tokens, which have no derivative",
                            do="pass inputs of floating-point numbers, such as embeddings")  # fmt: skip


@evidence(forward=1, backward=4, thorough=True, requires=inputs_are_numbers)
def input_jacobian_norms(subject: Subject, outputs: Tensor, seed: int) -> Tensor:
    """Frobenius norm of the Jacobian of the probabilities (of a regression, the outputs) at training points, ``[M, n]``.

    At most 256 points. With up to 16 outputs the norm is exact. With C more it is estimated from 16 random orthonormal
    combinations; its square is unbiased then.

    Args:
        subject: What is under study.
        outputs: Their last axes say how many there are.
        seed: Of the choice of points and of the combinations.

    Returns:
        Norms, float64.
    """
    population, train = subject.population, subject.train
    chosen = torch.randperm(len(train), generator=stream(seed, "input jacobians"))[:MOST_POINTS]
    probabilities = subject.loss.task == "classification"
    width = class_scores(subject, outputs[:1, :1]).numel() if probabilities else outputs[0, 0].numel()
    directions = directions_of(width, seed).to(population.device)

    def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs) -> Tensor:
        def said(x: Inputs) -> Tensor:
            raw = population.call_one(parameters, buffers, x)
            if not probabilities:
                return raw.flatten(1).double()
            return class_scores(subject, raw.unsqueeze(0))[0].double().softmax(-1)

        with torch.enable_grad():  # a recurrent kernel keeps what its derivative needs only then
            values, pull = vjp(said, x)[:2]
            # examples do not meet in evaluation mode: one pull gives every example's own row
            rows = [tree_leaves(pull(direction.expand_as(values))[0]) for direction in directions]
        squares = [leaf.detach().double().square().flatten(1).sum(-1) for leaves in rows for leaf in leaves]
        return torch.stack(squares).sum(0).sqrt()

    few = train.take(chosen)
    columns = [
        by_member(population, of_one, x, per_member=few.x_per_member)
        for _, x in blocks_of(population, few.x, per_member=few.x_per_member)
    ]
    population.tally.forward += len(chosen) * len(population)
    population.tally.backward += len(chosen) * len(population) * len(directions)
    return torch.cat(columns, dim=1)


def directions_of(width: int, seed: int, most: int = MOST_DIRECTIONS) -> Tensor:
    """Directions in the space of outputs whose squared pulls add up to the squared Frobenius norm, on average.

    Args:
        width: Number of outputs C.
        seed: Of the draw.
        most: K, so many directions at most.

    Returns:
        ``[min(C, K), C]``, float64: the axes, or orthonormal vectors times ``sqrt(C / K)``.
    """
    if width <= most:
        return torch.eye(width, dtype=torch.float64)
    drawn = torch.randn(width, most, generator=stream(seed, "output directions"), dtype=torch.float64)
    return torch.linalg.qr(drawn).Q.T * (width / most) ** 0.5
