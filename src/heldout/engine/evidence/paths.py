"""The sum over all paths through a network of the squared product of the weights along them."""

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from heldout.catalog import evidence
from heldout.engine.population import Inputs, Population
from heldout.engine.population.folding import NORMS
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

#: Layers through which squared weights and all-ones inputs give a sum over paths.
PIECEWISE_LINEAR = (
    nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.ReLU, nn.LeakyReLU, nn.Identity, nn.Flatten, nn.Unflatten, nn.Sequential, nn.ModuleList, nn.ModuleDict,
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d,
    nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip
INSTEAD = "use the norms of the weight layers instead"


def has_paths(subject: Subject) -> None:
    """Demand real inputs and layers that are linear up to ReLUs; batch norms may yet be folded.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With the layer that is in the way.
    """
    if any(not leaf.is_floating_point() for leaf in tree_leaves(subject.probe)):
        raise NotApplicable("path norms need inputs that are real numbers, and these are whole numbers", do=INSTEAD)
    _demand_kinds(subject.population, (*PIECEWISE_LINEAR, *NORMS))


@evidence(requires=has_paths)
def path_sum(subject: Subject, folded: Population) -> Tensor:
    """Outputs of the folded network with every parameter squared, on an input of ones, summed; ``[M]``, float64."""
    _demand_kinds(folded, PIECEWISE_LINEAR)
    squared = squared_network(folded)
    _demand_homogeneous(squared, subject.probe)
    ones = tree_map(lambda leaf: torch.ones_like(leaf, dtype=torch.float64), subject.probe)
    return squared(ones).flatten(1).sum(1)


def squared_network(population: Population) -> Population:
    """The networks with every parameter squared, in float64.

    Args:
        population: The networks.

    Returns:
        Networks whose every output is a sum over paths.
    """
    parameters = {name: weight.double().square() for name, weight in population.parameters.items()}
    buffers = {name: b.double() if b.is_floating_point() else b for name, b in population.buffers.items()}
    return population.with_tensors(parameters, buffers)


def _demand_kinds(population: Population, kinds: tuple[type[nn.Module], ...]) -> None:
    for name, module in population.template.named_modules():
        own_code = not type(module).__module__.startswith("torch.nn.") and not list(module.parameters(recurse=False))
        if not isinstance(module, kinds) and not own_code:
            what = f"is a {type(module).__name__}" + (" that cannot be folded" if isinstance(module, NORMS) else "")
            where = f"'{name}' {what}" if name else f"the network {what}"
            raise NotApplicable(
                f"path norms are defined for layers that are linear up to ReLUs, and {where}", do=INSTEAD
            )


def _demand_homogeneous(squared: Population, probe: Inputs) -> None:
    """What a ``forward`` does by itself is tried: without biases, the output for ``c x`` is ``c`` times that for ``x``."""
    parameters, buffers = squared.tensors(0)
    without_bias = {name: torch.zeros_like(p) if p.ndim == 1 else p for name, p in parameters.items()}
    generator = torch.Generator().manual_seed(0)  # any inputs that are positive and not all alike
    small = tree_map(lambda leaf: torch.rand(leaf.shape, generator=generator, dtype=torch.float64), probe)
    small = tree_map(lambda leaf: leaf.to(squared.device), small)
    with torch.no_grad(), vectorisable_kernels():
        once, grown = (
            squared.call_one(without_bias, buffers, tree_map(lambda leaf, c=c: c * leaf, small)) for c in (1, 1024)
        )
    if bool(grown.isfinite().all()) and not torch.allclose(1024 * once, grown, rtol=1e-6, atol=0.0):
        raise NotApplicable("the network's forward does something that is not linear up to ReLUs", do=INSTEAD)
