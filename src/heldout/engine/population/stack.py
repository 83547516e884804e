"""The population itself: stacked parameters, and one call for all members."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_leaves

from heldout.engine.population.calling import Inputs, arguments_for, examples_in, inputs_at, only_tensor, placed
from heldout.engine.population.structure import check_equal, modules_in, stacked, structure_of
from heldout.engine.population.vectorising import activation_bytes, vectorisable_kernels, why_not_stackable

DEFAULT_MEMORY = (
    32 * 2**20
)  # activations of one chunk; measured: larger ones fall out of the cache, smaller ones stutter


@dataclass(slots=True)
class Tally:
    """What has been spent, in network-examples: one example through one network is one."""

    forward: int = 0
    backward: int = 0


class Population:
    """M networks of one architecture: parameters and buffers stacked on a leading axis M, in evaluation mode.

    A population of one shares the weights of its network and copies nothing. Calls are made for all members at once with
    ``torch.func``; a module that cannot be vectorised is called member by member, which is said once.

    Args:
        networks: One module, or several of equal architecture.
        memory: Bytes that the activations of one chunk may take.

    Raises:
        Refusal: If these are no networks, the list is empty, or the architectures differ.

    Example:
        >>> population = Population([nn.Linear(3, 2), nn.Linear(3, 2)])
        >>> population(torch.zeros(5, 3)).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, networks: nn.Module | Sequence[nn.Module], *, memory: int = DEFAULT_MEMORY) -> None:
        modules = modules_in(networks)
        check_equal(modules)
        self.tally = Tally()
        self.memory = memory
        self._plans: dict[tuple[torch.Size, ...], int] = {}
        self._tried: list[str] = []  # why members are called one by one, once it was tried; perturbed copies share it
        self.template = structure_of(modules[0])
        self.parameters = stacked([dict(module.named_parameters()) for module in modules])
        self.buffers = stacked([dict(module.named_buffers()) for module in modules])

    @classmethod
    def of(
        cls,
        make_network: Callable[[], nn.Module],
        members: int,
        *,
        seed: int = 0,
        numbers: Sequence[int] | None = None,
        memory: int = DEFAULT_MEMORY,
    ) -> Self:
        """Independent initialisations of one architecture.

        Args:
            make_network: Gives a freshly initialised network.
            members: How many.
            seed: The member of number i is initialised from ``(seed, i)``, so that it is the same in any population.
            numbers: The members' numbers; 0 to M - 1 unless given.
            memory: As in the constructor.

        Returns:
            The population. The global random state is left as it was.
        """
        from heldout.engine.population.streams import stream

        networks = []
        with torch.random.fork_rng(devices=[]):
            for number in range(members) if numbers is None else numbers:
                torch.manual_seed(stream(seed, "initialisation", number).initial_seed())
                networks.append(make_network())
        return cls(networks, memory=memory)

    def with_tensors(
        self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor], template: nn.Module | None = None
    ) -> "Population":
        """A population of the same kind with other weights, which counts its work on the same tally.

        Args:
            parameters: Name -> ``[M', ...]``.
            buffers: Name -> ``[M', ...]``.
            template: Another architecture, where it changed (folding).

        Returns:
            The new population.
        """
        other = object.__new__(type(self))
        other.tally, other.memory, other._tried = self.tally, self.memory, self._tried
        other._plans = self._plans if template is None else {}
        other.template = template or self.template
        other.parameters, other.buffers = dict(parameters), dict(buffers)
        return other

    def __len__(self) -> int:
        """The number of members M."""
        return len(next(iter(self.parameters.values())))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(iter(self.parameters.values())).device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' floating-point precision."""
        return next((p.dtype for p in self.parameters.values() if p.is_floating_point()), torch.get_default_dtype())

    @property
    def size(self) -> int:
        """Parameters of one network P, a tied weight counted once."""
        return sum(parameter[0].numel() for parameter in self.parameters.values())

    @property
    def loop_reason(self) -> str:
        """Why members are called one by one; empty where they are not, or while nobody has asked."""
        return self._tried[0] if self._tried else ""

    def member(self, index: int) -> nn.Module:
        """One member as an ordinary module in evaluation mode, sharing its weights with the stack.

        Args:
            index: Which, from 0.

        Returns:
            The module.
        """
        tensors = {**self.parameters, **self.buffers}
        return structure_of(self.template, {name: tensor[index] for name, tensor in tensors.items()})

    def call_one(self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor], inputs: Inputs) -> Tensor:
        """The network as a pure function of one member's tensors; counts nothing, vectorises under ``vmap`` and ``grad``.

        Args:
            parameters: Name -> tensor without the axis M.
            buffers: Likewise.
            inputs: ``[N, ...]``.

        Returns:
            Outputs ``[N, ...]``.
        """
        arguments, keywords = arguments_for(self.template, inputs)
        return only_tensor(functional_call(self.template, ({**parameters, **buffers},), arguments, keywords))

    @torch.no_grad()
    def __call__(self, inputs: Inputs, *, per_member: bool = False) -> Tensor:
        """Outputs of all members.

        Args:
            inputs: Shared data, leaves ``[N, ...]``; or one set for each member, leaves ``[M, N, ...]``.
            per_member: Says which.

        Returns:
            ``[M, N, ...]`` on the network's device.
        """
        examples = examples_in(inputs, per_member=per_member)
        members, block = self.chunks(inputs, per_member=per_member)
        columns = []
        for start in range(0, examples, block):
            batch = inputs_at(inputs, slice(start, start + block), per_member=per_member)
            columns.append(self._call(placed(batch, self.device, self.dtype), per_member, members))
        self.tally.forward += examples * len(self)
        return columns[0] if len(columns) == 1 else torch.cat(columns, dim=1)

    def chunks(self, inputs: Inputs, *, per_member: bool = False) -> tuple[int, int]:
        """How a call is cut to stay within the memory: members at a time, examples at a time.

        Args:
            inputs: As in the call.
            per_member: As in the call.

        Returns:
            Two positive numbers.
        """
        example = inputs_at(inputs, slice(0, 1), per_member=per_member)
        if per_member:
            example = inputs_at(example, 0)
        key = tuple(leaf.shape for leaf in tree_leaves(example))
        if key not in self._plans:
            with vectorisable_kernels():
                self._plans[key] = activation_bytes(self, placed(example, self.device, self.dtype))
        together = max(1, self.memory // max(1, self._plans[key]))  # network-examples that fit
        members = min(len(self), max(1, together // min(16, examples_in(inputs, per_member=per_member))))
        return members, max(1, together // members)

    def _call(self, inputs: Inputs, per_member: bool, members: int) -> Tensor:
        if len(self) > 1 and self.stackable(inputs, per_member=per_member):
            mapped = torch.vmap(self.call_one, in_dims=(0, 0, 0 if per_member else None), chunk_size=members)
            with vectorisable_kernels():
                return mapped(self.parameters, self.buffers, inputs)
        with vectorisable_kernels():
            rows = [
                self.call_one(*self.tensors(index), inputs_at(inputs, index) if per_member else inputs)
                for index in range(len(self))
            ]
        return torch.stack(rows)

    def tensors(self, index: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Parameters and buffers of one member, views.

        Args:
            index: Which, from 0.

        Returns:
            The two dictionaries that :meth:`call_one` takes.
        """
        return (
            {name: tensor[index] for name, tensor in self.parameters.items()},
            {name: tensor[index] for name, tensor in self.buffers.items()},
        )

    def stackable(self, inputs: Inputs, *, per_member: bool = False) -> bool:
        """Whether the architecture can be called for all members at once; tried on one example, remembered, said once.

        Args:
            inputs: As in the call.
            per_member: As in the call.

        Returns:
            False if members must be called one by one; ``loop_reason`` then says why.
        """
        if not self._tried:
            example = placed(inputs_at(inputs, slice(0, 1), per_member=per_member), self.device, self.dtype)
            self._tried.append(why_not_stackable(self, inputs_at(example, 0) if per_member else example))
            if self.loop_reason:
                warnings.warn(
                    f"this network cannot be vectorised over members ({self.loop_reason}); "
                    "they are called one by one, which gives the same numbers more slowly",
                    stacklevel=3,
                )
        return not self.loop_reason
