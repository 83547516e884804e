"""How a chain of layers damps noise: cushions, contraction and smoothness on training examples (Arora et al. 2018, section 3)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from heldout.catalog import evidence
from heldout.engine.evidence.chains import INSTEAD, LayerMatrices, Link, is_dense_sized
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

Floats = np.ndarray
OPERATIONS = 4e10  # for all Jacobians: half a minute of a core; fewer examples are taken where they would cost more
FEWEST = 16  # examples
ENTRIES = 2**24  # of the Jacobians that are held at once
NOISE, DRAWS = 0.1, 4  # length of the noise, of that of what it is added to; noises for each layer


@dataclass(frozen=True, slots=True, eq=False)
class NoiseStability:
    """What stands between noise in a layer and the outputs, the worst over examples.

    Attributes:
        layer_cushions: Smallest ``|A x| / (|A|_F |x|)`` of every layer, ``[M, L]``.
        interlayer_cushions: Smallest ``|J x| / (|J|_F |x|)`` of the Jacobians from every layer to those after it; at most one over
            the root of its width, ``[M, L]``.
        contraction: Largest ``|x| / |relu(x)|``, ``[M]``.
        smoothness: Smallest ``|noise| |x_j| / (|x_i| |what is not linear|)``, ``[M]``; infinite where no noise crosses a break.
        largest_output: Largest Euclidean norm of the scores, ``[M]``.
        examples: On how many this was computed.
    """

    layer_cushions: Floats
    interlayer_cushions: Floats
    contraction: Floats
    smoothness: Floats
    largest_output: Floats
    examples: int


def is_rectified(subject: Subject) -> None:
    """Demand a chain whose breaks are ReLUs, since their derivatives are 0 and 1.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is in the way.
    """
    is_dense_sized(subject)
    for name, module in subject.population.template.named_modules():
        if isinstance(module, nn.LeakyReLU):
            raise NotApplicable(f"'{name}' is a LeakyReLU, and noise stability is defined for ReLUs", do=INSTEAD)


@evidence(forward=1, requires=is_rectified)
def noise_stability(layer_matrices: LayerMatrices, chain: tuple[Link, ...], seed: int) -> NoiseStability:
    """All of it, on as many training examples as are affordable; biases are a column of their own where there are any."""
    matrices, inputs, biased = _without_idle_biases(layer_matrices)
    sizes = [a.shape[1] for a in matrices]
    cost = len(matrices[0]) * sum(
        2.0 * sizes[j] * sizes[k] * sizes[k - 1] for j in range(1, len(sizes)) for k in range(1, j + 1)
    )
    count = len(inputs) if cost == 0 else min(len(inputs), int(OPERATIONS // cost))
    if count < min(FEWEST, len(inputs)):
        raise NotApplicable(f"Jacobians between layers cost {cost:.2g} operations an example", do=INSTEAD)
    x = inputs[torch.randperm(len(inputs), generator=stream(seed, "noise stability"))[:count].sort().values]
    broken = [bool(link.pieces) for link in chain]
    before, after = _passed(matrices, x.expand(len(matrices[0]), -1, -1), broken)
    entered = [x.expand(len(matrices[0]), -1, -1), *after]
    cushions = torch.stack([
        _least(z.norm(dim=2), torch.linalg.matrix_norm(a)[:, None] * h.norm(dim=2))
        for a, z, h in zip(matrices, before, entered, strict=False)
    ], 1)  # fmt: skip
    contractions = [
        1 / _least(h.norm(dim=2), z.norm(dim=2)) for z, h, b in zip(before[:-1], after, broken, strict=False) if b
    ]
    ones = torch.ones(len(cushions), dtype=cushions.dtype, device=cushions.device)
    return NoiseStability(
        layer_cushions=_array(cushions),
        interlayer_cushions=_array(_interlayer(matrices, before, broken)),
        contraction=_array(torch.stack([ones, *contractions]).amax(0)),
        smoothness=_array(_smoothness(matrices, before, broken, seed, biased=biased)),
        largest_output=_array(before[-1].norm(dim=2).amax(1)),
        examples=count,
    )


def _without_idle_biases(found: LayerMatrices) -> tuple[list[Tensor], Tensor, bool]:
    """The matrices and inputs as they are; without the column for biases where no layer has any."""
    biased = any(bool((a[:, : a.shape[1] - (place < len(found.matrices) - 1), -1] != 0).any())
                 for place, a in enumerate(found.matrices))  # fmt: skip
    if biased:
        return list(found.matrices), found.inputs, True
    bare = [a[:, :-1, :-1] for a in found.matrices[:-1]] + [found.matrices[-1][:, :, :-1]]
    return bare, found.inputs[:, :-1], False


def _passed(matrices: list[Tensor], x: Tensor, broken: list[bool]) -> tuple[list[Tensor], list[Tensor]]:
    """What leaves every layer, and the same after its break, for all but the last; ``[M, N, h]`` each."""
    before: list[Tensor] = []
    after: list[Tensor] = []
    for a, b in zip(matrices, broken, strict=True):
        before.append((after[-1] if after else x) @ a.transpose(1, 2))
        after.append(before[-1].relu() if b else before[-1])
    return before, after[:-1]


def _interlayer(matrices: list[Tensor], before: list[Tensor], broken: list[bool]) -> Tensor:
    """Smallest cushions of the Jacobians from every layer to a later one, ``[M, L]``."""
    depth, members = len(matrices), len(matrices[0])
    least = [z.new_full((members,), z.shape[2] ** -0.5) for z in before]
    together = max(1, ENTRIES // (members * max(a.shape[1] for a in matrices) ** 2))
    for part in torch.split(torch.arange(before[0].shape[1], device=before[0].device), together):
        rows = [z[:, part] for z in before]
        for j in range(1, depth):
            jacobian = matrices[j][:, None]
            for i in range(j - 1, -1, -1):
                open_ = (rows[i] > 0).to(jacobian.dtype) if broken[i] else torch.ones_like(rows[i])
                jacobian = jacobian * open_[:, :, None, :]  # from layer i to layer j, [M, n, h_j, h_i]
                whole = torch.linalg.matrix_norm(jacobian) * rows[i].norm(dim=2)
                least[i] = torch.minimum(least[i], _least(rows[j].norm(dim=2), whole))
                if i:
                    jacobian = jacobian @ matrices[i][:, None]
    return torch.stack(least, 1)


def _smoothness(matrices: list[Tensor], before: list[Tensor], broken: list[bool], seed: int, *, biased: bool) -> Tensor:
    """Smallest ratio of what noise of a tenth may do to what it does beyond the Jacobian, ``[M]``."""
    least = before[0].new_full((len(matrices[0]),), np.inf)
    for i, start in enumerate(before[:-1]):
        noise = torch.randn(
            DRAWS, 1, *start.shape[1:], dtype=torch.float64, generator=stream(seed, "interlayer noise", i)
        )
        noise = noise.to(start)
        if biased:
            noise[..., -1] = 0.0  # the one that carries biases is exact
        noise = noise * (NOISE * start.norm(dim=2, keepdim=True) / noise.norm(dim=3, keepdim=True))
        moved = linear = start + noise  # [D, M, N, h]
        for j in range(i + 1, len(matrices)):
            if broken[j - 1]:
                linear, moved = linear * (before[j - 1] > 0), moved.relu()
            linear, moved = (values @ matrices[j].transpose(1, 2) for values in (linear, moved))
            beyond = (moved - linear).norm(dim=3) / (NOISE * before[j].norm(dim=2))
            worst = beyond.nan_to_num(0.0, posinf=np.inf).amax((0, 2))
            least = torch.minimum(least, 1 / worst)
    return least


def _least(values: Tensor, wholes: Tensor) -> Tensor:
    """Smallest ratio over examples, ``[M, N] -> [M]``; where both are 0 there is none."""
    return torch.where(wholes > 0, values / wholes, torch.inf).amin(1)


def _array(values: Tensor) -> Floats:
    return values.double().cpu().numpy()
