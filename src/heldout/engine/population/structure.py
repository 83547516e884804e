"""Copies of a module's structure that share or replace its tensors."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn


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
