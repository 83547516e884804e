"""Whether an architecture can be called for many members at once, and how much room that takes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves, tree_map

from heldout.engine.population.calling import Inputs

if TYPE_CHECKING:
    from heldout.engine.population.stack import Population


@contextmanager
def vectorisable_kernels() -> Iterator[None]:
    """Kernels that have a rule under ``vmap``: attention by its formula instead of the fused one; others fall back silently."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There is a performance drop because we have not yet implemented")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def why_not_stackable(population: "Population", example: Inputs) -> str:
    """Try the stacked call on one example and compare it with the plain one.

    Args:
        population: At least two members.
        example: One example, leaves ``[1, ...]``.

    Returns:
        Empty if they agree; otherwise the reason in a few words.
    """
    two = [{name: tensor[:2] for name, tensor in part.items()} for part in (population.parameters, population.buffers)]
    try:
        with torch.no_grad(), vectorisable_kernels():
            # inputs are mapped too: a network that branches on its data must fail here, not when each member has its own
            twice = tree_map(lambda leaf: torch.stack([leaf, leaf]), example)
            stacked = torch.vmap(population.call_one)(two[0], two[1], twice)
            plain = population.call_one(*population.tensors(0), example)
    except Exception as error:  # whatever a stranger's module raises under vmap is a reason to loop, not to stop
        return (
            f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}"
            if str(error)
            else type(error).__name__
        )
    tolerance = 1e-3 * float(plain.abs().max()) + 1e-6
    return "" if torch.allclose(stacked[0], plain, rtol=1e-3, atol=tolerance) else "its stacked outputs differ"


def activation_bytes(population: "Population", example: Inputs) -> int:
    """Bytes of all layer outputs for one example through one member, measured by one call.

    Args:
        population: The networks.
        example: One example, leaves ``[1, ...]``.

    Returns:
        Bytes, inputs included.
    """
    total = sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(example))

    def add(_module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        total += sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(output) if isinstance(leaf, Tensor))

    hooks = [module.register_forward_hook(add) for module in population.template.modules()]
    try:
        with torch.no_grad():
            population.call_one(*population.tensors(0), example)
    finally:
        for hook in hooks:
            hook.remove()
    return total
