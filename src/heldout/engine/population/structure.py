"""What networks of one architecture share: copies of a structure without its tensors, and stacks of tensors."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from heldout.records import Refusal


def structure_of(module: nn.Module, replacements: Mapping[str, Tensor] | None = None) -> nn.Module:
    """A copy of a module's structure in evaluation mode, without a copy of its weights.

    Parameters and buffers are shared with the original unless replaced by name; ties between modules stay ties, since every
    alias of a tensor is replaced by the same object.

    Args:
        module: The network; it is not changed.
        replacements: Name of a parameter or buffer (as in ``named_parameters``) -> the tensor to put in its place.

    Returns:
        The copy.
    """
    memo: dict[int, object] = {}
    replacements = replacements or {}
    for name, parameter in module.named_parameters():
        new = replacements.get(name)
        # The original's requires_grad is kept: a frozen layer stays frozen in what the user gets back.
        memo[id(parameter)] = parameter if new is None else nn.Parameter(new, requires_grad=parameter.requires_grad)
    for name, buffer in module.named_buffers():
        memo[id(buffer)] = replacements.get(name, buffer)
    return copy.deepcopy(module, memo).eval()


def modules_in(networks: nn.Module | Sequence[nn.Module]) -> list[nn.Module]:
    """The networks as a list.

    Args:
        networks: One module, or several.

    Returns:
        The modules.

    Raises:
        Refusal: If it is anything else, such as a state dict or a path.
    """
    modules: object = [networks] if isinstance(networks, nn.Module) else networks
    given = f"network was a {type(modules).__name__}"
    if isinstance(modules, Sequence) and not isinstance(modules, str):
        strangers = [entry for entry in modules if not isinstance(entry, nn.Module)]
        if not strangers:
            return list(modules)
        given = f"network was a {type(modules).__name__} that holds a {type(strangers[0]).__name__}"
    raise Refusal(
        given=given,
        expected="an nn.Module or a list of them",
        do="load saved weights into a module first, with load_state_dict",
    )


def check_equal(modules: Sequence[nn.Module]) -> None:
    """Refuse networks that cannot stand in one stack.

    Args:
        modules: The networks.

    Raises:
        Refusal: If there is none, it has no parameters, or the shapes of two differ.
    """
    if not modules:
        raise Refusal(given="the list of networks was empty", expected="at least one nn.Module", do="pass a module")

    def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in [*module.named_parameters(), *module.named_buffers()]}

    first = shapes(modules[0])
    if not any(True for _ in modules[0].parameters()):
        raise Refusal(
            given="the network has no parameters", expected="a network with weights", do="pass a trained module"
        )
    for index, module in enumerate(modules[1:], 1):
        other = shapes(module)
        if other != first:
            name = next(name for name in [*first, *other] if first.get(name) != other.get(name))
            raise Refusal(
                given=f"network {index} differs from network 0 at '{name}' ({other.get(name)} against {first.get(name)})",
                expected="networks of equal architecture",
                do="put networks of different shapes in populations of their own",
            )


def stacked(tensors: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """One tensor ``[M, ...]`` for each name; a view, not a copy, where M is 1.

    Args:
        tensors: Name -> tensor, for each network.

    Returns:
        Name -> stack.
    """
    with torch.inference_mode(False), torch.no_grad():
        if len(tensors) == 1:
            return {name: ordinary(tensor).unsqueeze(0) for name, tensor in tensors[0].items()}
        return {name: torch.stack([ordinary(row[name]) for row in tensors]) for name in tensors[0]}


def ordinary(tensor: Tensor) -> Tensor:
    """A tensor that derivatives may be taken through: one made in inference mode is copied.

    Args:
        tensor: Any.

    Returns:
        It, without its history.
    """
    return tensor.clone() if tensor.is_inference() else tensor.detach()
