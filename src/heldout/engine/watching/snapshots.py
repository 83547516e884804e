"""The watched network's weights as they are now, in a structure of our own: the network that trains is never run."""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from heldout.engine.population import Population
from heldout.records import Refusal

#: Hooks of a module that belong to whoever trains it.
HOOKS = (
    "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks", "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip
#: What trainers hang onto a module; it is not part of the network.
ATTACHED = ("_trainer", "_fabric")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the weights come from.

    Attributes:
        network: The module that trains.
        initial: Its weights when watching began, in a copy of its structure that shares nothing with it.
    """

    network: nn.Module
    initial: Population

    @classmethod
    def of(cls, network: nn.Module) -> "Source":
        """Copy a network's structure and weights once.

        Hooks are left out of the copy (those of ``torch.nn.utils``, which compute weights, are kept): they may have effects.

        Args:
            network: The module that trains; wrappers of ``torch.compile`` and of data parallelism are seen through.

        Returns:
            The source.

        Raises:
            Refusal: If it has weights that are not there yet or lie on several machines, or cannot be copied.

        Example:
            >>> layer = nn.Linear(2, 2)
            >>> source = Source.of(layer)
            >>> with torch.no_grad():
            ...     _ = layer.weight.zero_()
            >>> bool(source.initial.parameters["weight"].any()), bool(source.now().parameters["weight"].any())
            (True, False)
        """
        inner = unwrapped(network)
        _check(inner)
        memo: dict[int, Any] = {id(tensor): _own(tensor) for tensor in [*inner.parameters(), *inner.buffers()]}
        for owner, name in _left_out(inner):
            held = owner.__dict__[name]
            memo[id(held)] = None if name in ATTACHED else OrderedDict()
        try:
            bare = copy.deepcopy(inner, memo)
        except Exception as error:  # whatever a stranger's module holds
            raise Refusal(
                given=f"network could not be copied ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})",
                expected="a module that copy.deepcopy can copy",
                do="keep what cannot be copied outside of the module",
            ) from None
        return cls(inner, Population(bare))

    def now(self) -> Population:
        """The weights as they are, copied.

        Returns:
            A population of one that counts its work on the same tally as ``initial``.

        Raises:
            Refusal: If the network has other parameters than when watching began.
        """
        parameters, buffers = (
            {name: tensor.detach().clone().unsqueeze(0) for name, tensor in part}
            for part in (self.network.named_parameters(), self.network.named_buffers())
        )
        before = {**self.initial.parameters, **self.initial.buffers}
        after = {**parameters, **buffers}
        if {name: tensor.shape for name, tensor in before.items()} != {name: t.shape for name, t in after.items()}:
            raise Refusal(
                given="the network's parameters are no longer those it had when watching began",
                expected="one architecture for the whole training",
                do="make a new Watch after changing the network",
            )
        return self.initial.with_tensors(parameters, buffers)

    def start(self, device: torch.device) -> Population:
        """The weights when watching began, on a device.

        Args:
            device: Where the network is now.

        Returns:
            A population of one.
        """
        parameters, buffers = (
            {name: tensor.to(device) for name, tensor in part.items()}
            for part in (self.initial.parameters, self.initial.buffers)
        )
        return self.initial.with_tensors(parameters, buffers)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside of what ``torch.compile`` and data parallelism wrap around it.

    Args:
        network: Any module.

    Returns:
        The innermost one.

    Raises:
        Refusal: If it is no module.
    """
    if not isinstance(network, nn.Module):
        raise Refusal(
            given=f"network was a {type(network).__name__}",
            expected="an nn.Module, or a Subject of one network",
            do="pass the module that trains",
        )
    while True:
        if hasattr(network, "_orig_mod"):
            network = cast(nn.Module, network._orig_mod)
        elif isinstance(network, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            network = network.module
        else:
            return network


def _own(tensor: Tensor) -> Tensor:
    copied = tensor.detach().clone()
    return nn.Parameter(copied, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else copied


def _left_out(network: nn.Module) -> Iterator[tuple[Any, str]]:
    for module in network.modules():
        for name in HOOKS:
            hooks = module.__dict__.get(name)
            if hooks and not any(type(hook).__module__.startswith("torch.nn.utils") for hook in hooks.values()):
                yield module, name
        for name in ATTACHED:
            if module.__dict__.get(name) is not None:
                yield module, name


def _check(network: nn.Module) -> None:
    tensors = [*network.named_parameters(), *network.named_buffers()]
    lazy = [name for name, tensor in tensors if is_lazy(tensor)]
    if lazy:
        raise Refusal(
            given=f"network has weights that are not there yet ('{lazy[0]}')",
            expected="a network that knows its shapes",
            do="run it on one batch first",
        )
    spread = [name for name, tensor in tensors if type(tensor).__name__ == "DTensor"]
    if spread or type(network).__name__ == "FullyShardedDataParallel":
        raise Refusal(
            given="network is sharded over several devices",
            expected="whole weights on this device",
            do="watch the losses with heldout watch LOGDIR instead",
        )
