"""Networks of few weights with noise around them, and the message that names the mixture which is their prior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.engine.compression.bits import (
    Bits,
    arithmetic_code,
    elias_delta,
    plain,
    read_arithmetic_code,
    read_elias_delta,
    read_plain,
)
from heldout.engine.compression.messages import BitReader, Message
from heldout.engine.population import Population
from heldout.engine.training import Intervention
from heldout.records import Refusal

Floats = NDArray[np.float64]
Masks = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Layer:
    """What the message says of one parameter tensor.

    Attributes:
        kept: Whether each weight is kept, ``[W]``.
        levels: Values that the kept ones take, ``[L]``, 16 bits each.
        counts: How many take each, ``[L]``; not zero, adding up to the kept ones.
    """

    kept: NDArray[np.bool_]
    levels: NDArray[np.float16]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Kept(Intervention):
    """Pruned weights stay at zero in training.

    Attributes:
        masks: Parameter's name -> ``[M, ...]`` of zeros and ones.
    """

    masks: Mapping[str, Tensor] = field(default_factory=dict, hash=False)

    def tensors(self) -> Mapping[str, Tensor]:
        """The masks."""
        return {f"kept/{name}": mask for name, mask in self.masks.items()}

    def update(self, before: Masks, after: Masks, own: Masks) -> Masks:
        """The weights where the mask is one, zero elsewhere."""
        return {name: weight * own[f"kept/{name}"].to(weight.dtype) for name, weight in after.items()}


def largest(networks: Population, share: float) -> Masks:
    """The weights of largest magnitude in all layers together, those of every member (Han et al. 2015).

    Args:
        networks: M.
        share: How many are kept, of all; at least one a network.

    Returns:
        Parameter's name -> ``[M, ...]`` of zeros and ones, float32.
    """
    sizes = torch.cat([stack.detach().abs().flatten(1) for stack in networks.parameters.values()], dim=1)
    count = max(1, round(share * sizes.shape[1]))
    bar = sizes.topk(count, dim=1).values[:, -1]
    return {
        name: (stack.detach().abs() >= bar.reshape(-1, *[1] * (stack.ndim - 1))).float()
        for name, stack in networks.parameters.items()
    }


def quantised(weights: Tensor, mask: Tensor, size: int, rounds: int = 30) -> tuple[Layer, Tensor]:
    """One tensor's kept weights at the nearest of a few levels: k-means in one dimension, from quantiles.

    Args:
        weights: ``[...]``.
        mask: Zeros and ones of this shape.
        size: Levels at most.
        rounds: Of k-means.

    Returns:
        What the message says of them, and the weights, float32.
    """
    kept = mask.flatten().bool().cpu().numpy()
    values: Floats = weights.detach().flatten().double().cpu().numpy()[kept]
    if not len(values):
        return Layer(kept, np.zeros(0, dtype=np.float16), ()), torch.zeros_like(weights)
    centres = np.unique(np.quantile(values, (np.arange(size) + 0.5) / size))
    for _ in range(rounds):
        places = np.abs(values[:, None] - centres).argmin(1)
        sums, counts = np.bincount(places, values, minlength=len(centres)), np.bincount(places, minlength=len(centres))
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    levels = np.unique(centres.astype(np.float16))
    places = np.abs(values[:, None] - levels.astype(np.float64)).argmin(1)
    counts = np.bincount(places, minlength=len(levels))
    whole = np.zeros(len(kept), dtype=np.float32)
    whole[kept] = levels.astype(np.float32)[places]
    layer = Layer(kept, levels[counts > 0], tuple(counts[counts > 0].tolist()))
    return layer, torch.from_numpy(whole).reshape(weights.shape).to(weights.device)


def header(layers: Sequence[Layer], noise: int) -> Message:
    """The message that names the prior: for every tensor which weights are kept, the levels, and how many weights take each.

    Sizes of tensors belong to the architecture and are known. Numbers by Elias's delta code, levels by 16 bits, places by arithmetic
    coding with the number of kept weights. Which level each weight takes is not in it: the noise blurs that, see
    :func:`blurred_nats`.

    Args:
        layers: One a tensor.
        noise: Number of the noise's scale, from 0.

    Returns:
        The message, prefix-free, decoded once more and compared.

    Raises:
        Refusal: If it does not decode to what was sent.
    """
    parts: dict[str, Bits] = {"noise": elias_delta(noise + 1), "numbers": [], "places": [], "levels": [], "counts": []}
    bits = Bits(parts["noise"])
    for layer in layers:
        kept = int(layer.kept.sum())
        own = {
            "numbers": elias_delta(kept + 1) + (elias_delta(len(layer.levels)) if kept else []),
            "places": arithmetic_code(layer.kept.astype(int).tolist(), [len(layer.kept) - kept, kept]) if kept else [],
            "levels": [bit for level in layer.levels.view(np.uint16).tolist() for bit in plain(level, 16)],
            "counts": [bit for count in layer.counts[:-1] for bit in elias_delta(count)],
        }
        for part, said in own.items():
            parts[part] += said
            bits += said
    message = Message(tuple(bits), {part: float(len(said)) for part, said in parts.items()})
    if not _comes_back(bits, layers, noise):
        raise Refusal(
            given=f"a message of {len(bits)} bits decoded to something else than was sent",
            expected="the same places, levels and counts", do="report this with the layers",
        )  # fmt: skip
    return message


def read_header(bits: Bits, sizes: Sequence[int]) -> tuple[list[Layer], int, int]:
    """What a message says of the prior.

    Args:
        bits: A message, and whatever follows it.
        sizes: Of the tensors.

    Returns:
        Layers, number of the noise's scale, and the message's length.
    """
    reader, layers = BitReader(bits), []
    noise = read_elias_delta(reader) - 1
    for size in sizes:
        kept = read_elias_delta(reader) - 1
        if not kept:
            layers.append(Layer(np.zeros(size, dtype=bool), np.zeros(0, dtype=np.float16), ()))
            continue
        number = read_elias_delta(reader)
        places, used = read_arithmetic_code(bits[reader.count :], size, [size - kept, kept])
        reader.skip(used)
        levels = np.array([read_plain(reader, 16) for _ in range(number)], dtype=np.uint16).view(np.float16)
        counts = [read_elias_delta(reader) for _ in range(number - 1)]
        layers.append(Layer(np.array(places, dtype=bool), levels, (*counts, kept - sum(counts))))
    return layers, noise, reader.count


def blurred_nats(layer: Layer, scale: float) -> float:
    r"""Divergence of one tensor's kept weights under noise from the mixture that the message names, at most.

    With frequencies :math:`q_j` of the levels :math:`c_j` and noise of deviation s, for a weight at :math:`c_k`

    .. math:: \mathrm{KL}(\mathcal N(c_k, s^2) \| \textstyle\sum_j q_j \mathcal N(c_j, s^2))
        \le -\ln \sum_j q_j e^{-(c_j - c_k)^2 / 2 s^2} \le \ln(1 / q_k)

    since for all weights r that add up to 1 Jensen's inequality gives
    :math:`-\ln \sum_j q_j f_j \le \mathrm{KL}(r \| q) - \sum_j r_j \ln f_j`, and the r that makes the mean of the right-hand side
    least is proportional to :math:`q_j e^{-(c_j - c_k)^2 / 2 s^2}`.

    Args:
        layer: Levels and how many weights take each.
        scale: s.

    Returns:
        Nats, of all its kept weights.
    """
    if len(layer.levels) < 2:
        return 0.0
    levels, counts = layer.levels.astype(np.float64), np.array(layer.counts, dtype=np.float64)
    apart = np.exp(-((levels[:, None] - levels) ** 2) / (2 * scale**2))
    return float(-(counts * np.log((apart * (counts / counts.sum())).sum(1))).sum())


def _comes_back(bits: Bits, layers: Sequence[Layer], noise: int) -> bool:
    try:
        again, said, used = read_header([*bits, 1, 0, 1], [len(layer.kept) for layer in layers])
    except StopIteration:  # it asked for more bits than there are
        return False
    return (said, used) == (noise, len(bits)) and all(
        np.array_equal(one.kept, other.kept)
        and np.array_equal(one.levels.view(np.uint16), other.levels.view(np.uint16))
        and one.counts == other.counts
        for one, other in zip(again, layers, strict=True)
    )
