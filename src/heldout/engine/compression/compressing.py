"""From starting points to decoded networks: train coordinates, quantise them, tune what is left, code, decode."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.engine.compression.choosing import KINDS, projection_of
from heldout.engine.compression.messages import Message, decoded, encoded, levels_of
from heldout.engine.compression.projections import Projection
from heldout.engine.compression.subspaces import in_subspace, nearest
from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

#: Coordinates' rate: columns of the projection have length 1, so a coordinate moves the weights by as much as it moves itself.
RATE, TUNING_RATE, STEPS, TUNING_STEPS = 0.3, 0.1, 1500, 800
ROUNDS = 30  # of k-means in one dimension


class Projecting(Protocol):
    """From a projection's name to the map."""

    def __call__(self, kind: str, start: Population, dimension: int, *, seed: int) -> Projection:
        """The map."""


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """Networks that were rebuilt from their messages.

    Attributes:
        networks: The decoded networks, subspaces in evaluation mode.
        messages: One a member.
        dimension: d.
        levels: Of the codebooks.
        kind: Of the projection.
    """

    networks: Population
    messages: tuple[Message, ...]
    dimension: int
    levels: int
    kind: str = KINDS[0]


def compressed(
    start: Population,
    data: Examples,
    recipe: Recipe,
    *,
    dimension: int,
    codebooks: Sequence[tuple[int, bool]],
    seed: int,
    kind: str = KINDS[0],
    steps: int | None = None,
    kinds: tuple[str, ...] = KINDS,
    projecting: Projecting = projection_of,
) -> list[Compressed]:
    """Train every member in a subspace around its start, and code it with codebooks of several sizes.

    Args:
        start: Starting points, fixed before the data were seen.
        data: Training data.
        recipe: Of which loss, batch size and the order of examples are taken.
        dimension: d.
        codebooks: How many levels each has, and whether they are evenly spaced.
        seed: Of projection and batches.
        kind: Of the projection, one of ``kinds``; the message pays for the choice.
        steps: Of training, half as many again of tuning; :data:`STEPS` and :data:`TUNING_STEPS` if not said.
        kinds: Names in the order of their numbers in a message, agreed on beforehand.
        projecting: From a name to the map.

    Returns:
        One a codebook.
    """
    projection = projecting(kind, start, dimension, seed=seed)
    plain = recipe.but(
        optimizer="adam", lr=RATE, steps=steps or STEPS, schedule="cosine", stop="steps", weight_decay=0.0, interventions=(),
        warmup=0, label_noise=0.0, subset=None, dropout=None,
    )  # fmt: skip
    trained = fit(in_subspace(start, projection), data, plain, seed=seed).final
    coordinates = trained.parameters["coordinates"]
    found = []
    for size, even in codebooks:
        books = torch.stack([_levels(row, size, even=even) for row in coordinates.cpu()]).to(coordinates)
        begun = in_subspace(start, projection, size, even=even)
        begun = begun.with_tensors({"coordinates": coordinates, "codebook": books}, begun.buffers)
        tuned = fit(
            begun, data, plain.but(lr=TUNING_RATE, steps=steps // 2 if steps else TUNING_STEPS), seed=seed
        ).final
        found.append(_sent(trained, tuned, dimension, size, kind, kinds.index(kind)))
    return found


def _sent(subspaces: Population, tuned: Population, dimension: int, levels: int, kind: str, number: int) -> Compressed:
    """Codebooks rounded to 16 bits, coordinates snapped to them, coded, and read again from the bits alone."""
    messages, rows = [], []
    for coordinates, codebook in zip(
        tuned.parameters["coordinates"].cpu(), tuned.parameters["codebook"].cpu(), strict=True
    ):
        book, size = codebook.numpy().astype(np.float16), levels
        symbols = nearest(coordinates, torch.from_numpy(levels_of(book, size))).numpy()
        if len(book) == size:  # of levels that are sent one by one those that no coordinate takes are not sent
            used, symbols = np.unique(symbols, return_inverse=True)
            book, size = book[used], len(used)
        message = encoded(symbols.astype(np.int64), book, size, kind=number)
        messages.append(message)
        rows.append(torch.from_numpy(decoded(message.bits).coordinates))
    stack = torch.stack(rows).to(subspaces.parameters["coordinates"])
    return Compressed(
        subspaces.with_tensors({"coordinates": stack}, subspaces.buffers), tuple(messages), dimension, levels, kind
    )


def _levels(coordinates: Tensor, size: int, *, even: bool) -> Tensor:
    """k-means in one dimension from quantiles, ``[d] -> [L]``; or the distance of evenly spaced levels that reach as far."""
    values: NDArray[np.float64] = np.sort(coordinates.double().numpy())
    if even:
        return torch.tensor([2 * float(np.quantile(np.abs(values), 0.95)) / size])
    centres = np.quantile(values, (np.arange(size) + 0.5) / size)
    for _ in range(ROUNDS):
        places = np.abs(values[:, None] - centres).argmin(1)
        sums, counts = np.bincount(places, values, minlength=size), np.bincount(places, minlength=size)
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    return torch.from_numpy(centres).float()
