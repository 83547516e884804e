"""The receiver's side: from what was agreed beforehand and a message alone to the network, bit for bit."""

import torch
from torch import Tensor

from heldout.engine.compression.choosing import KINDS, projection_of
from heldout.engine.compression.compressing import Compressed, Projecting
from heldout.engine.compression.messages import decoded
from heldout.engine.compression.subspaces import Subspace
from heldout.engine.population import Population
from heldout.records import Refusal


def received(
    start: Population, bits: tuple[int, ...], member: int, *, seed: int, kinds: tuple[str, ...] = KINDS,
    projecting: Projecting = projection_of,
) -> dict[str, Tensor]:  # fmt: skip
    """The weights that a message stands for.

    Args:
        start: Agreed on beforehand.
        bits: The message.
        member: Whose starting point.
        seed: Of the projection, agreed on beforehand.
        kinds: Names of projections in the order of their numbers, likewise.
        projecting: From a name to the map, likewise.

    Returns:
        Name -> tensor.
    """
    said, (tensors, buffers) = decoded(bits), start.tensors(member)
    projection = projecting(kinds[said.kind], start, len(said.coordinates), seed=seed).to(start.device)
    network = Subspace(start.template, tensors, buffers, projection)
    return network.moved(torch.from_numpy(said.coordinates).to(start.device, start.dtype))


def check_received(
    found: Compressed, start: Population, *, seed: int, kinds: tuple[str, ...] = KINDS, projecting: Projecting = projection_of
) -> None:  # fmt: skip
    """Refuse networks that their messages do not rebuild: another seed was used, or something was trained that no message holds.

    Args:
        found: Networks that are to be certified, with their messages.
        start: Agreed on beforehand.
        seed: Likewise.
        kinds: Likewise.
        projecting: Likewise.

    Raises:
        Refusal: If a weight, or a buffer such as a batch norm's running mean, differs.
    """
    for member, message in enumerate(found.messages):
        network = found.networks.member(member)
        assert isinstance(network, Subspace)
        again = received(start, message.bits, member, seed=seed, kinds=kinds, projecting=projecting)
        weights = network.moved(network.coordinates)
        if not all(torch.equal(again[name], weight) for name, weight in weights.items()):
            raise Refusal(
                given=f"message {member} with seed {seed} stands for another network than the one that was judged",
                expected="the same weights bit for bit, from the message and the seed that was agreed on",
                do="take one seed beforehand; a search over seeds must be paid for in the message",
            )
        kept = dict(network.named_buffers())
        for name, buffer in start.tensors(member)[1].items():
            if not torch.equal(buffer, kept[f"buffer/{name}".replace(".", "/")]):
                raise Refusal(
                    given=f"buffer '{name}' is another than at the start, and the message does not hold it",
                    expected="running statistics as they were agreed on",
                    do="keep batch norms in evaluation mode while the coordinates are trained",
                )
