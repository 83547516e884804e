"""Networks that are chains of layers: how many parameters and pieces each link has, and the matrices they are on the data."""

from dataclasses import dataclass
from math import comb

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.population import Population
from heldout.engine.population.calling import placed
from heldout.engine.population.folding import NORMS
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
BREAKS = (nn.ReLU, nn.LeakyReLU)
MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
MEANS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
PLAIN = (nn.Identity, nn.Flatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
INSTEAD = "use the families held-out, compression or pac-bayes, which take any network"
ENTRIES = 2**26  # of a layer's matrix


@dataclass(frozen=True, slots=True)
class Link:
    """One layer with weights, and what follows it up to the next.

    Attributes:
        name: The module's.
        parameters: Weights and biases, batch norms folded in.
        pieces: Comparisons for one example at every stage after it, before the next layer with weights.
        inputs: Entries of one example at its entrance.
        outputs: Entries at its exit.
    """

    name: str
    parameters: int
    pieces: tuple[int, ...]
    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True, eq=False)
class LayerMatrices:
    """A chain as a network without biases: each layer the matrix ``[[A, b], [0, 1]]`` on inputs with a 1 added.

    Attributes:
        matrices: ``[M, out + 1, in + 1]`` each, float64, the last without the row of the 1.
        reference: The same at initialisation; zeros where it is not known.
        inputs: Training inputs with a 1 added, ``[N, in + 1]``.
    """

    matrices: tuple[Tensor, ...]
    reference: tuple[Tensor, ...]
    inputs: Tensor


def is_chain(subject: Subject) -> None:
    """Demand layers one after the other, piecewise linear, on real inputs.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is in the way.
    """
    leaves = tree_leaves(subject.probe)
    if len(leaves) != 1 or not leaves[0].is_floating_point():
        raise NotApplicable("this counts networks on one tensor of real numbers", do=INSTEAD)
    if subject.loss.task != "classification":
        raise NotApplicable("this bounds 0-1 errors, and the task is a regression", do=INSTEAD)
    allowed = (*LINEAR, *BREAKS, *MAXIMA, *MEANS, *PLAIN, *NORMS, nn.Sequential)
    for name, module in subject.population.template.named_modules():
        if type(module) not in allowed:  # what is derived from a layer may compute anything
            kind = type(module).__name__
            where = f"'{name}'" if name else "the network"
            raise NotApplicable(
                f"{where} is a {kind}, and this counts chains of dense or convolutional layers with ReLUs", do=INSTEAD
            )


@evidence(requires=is_chain)
def chain(subject: Subject, folded: Population) -> tuple[Link, ...]:
    """Parameters, pieces and sizes of every layer with weights, in order."""
    left = [name for name, module in folded.template.named_modules() if isinstance(module, NORMS)]
    if left:
        raise NotApplicable(f"'{left[0]}' does not follow a layer that it could be folded into", do=INSTEAD)
    seen: list[tuple[str, nn.Module, int, int]] = []

    def watch(name: str):  # type: ignore[no-untyped-def]
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen.append((name, module, inputs[0][0].numel(), output[0].numel()))

        return hook

    template = folded.template
    hooks = [m.register_forward_hook(watch(name)) for name, m in template.named_modules() if not list(m.children())]
    try:
        with torch.no_grad(), vectorisable_kernels():
            folded.call_one(*folded.tensors(0), placed(subject.probe, folded.device, folded.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    links: list[Link] = []
    for name, module, entering, leaving in seen:
        if isinstance(module, LINEAR):
            links.append(Link(name, sum(p.numel() for p in module.parameters()), (), entering, leaving))
        elif links and isinstance(module, (*BREAKS, *MAXIMA)):
            last = links[-1]
            more = leaving if isinstance(module, BREAKS) else leaving * comb(_window(module), 2)
            links[-1] = Link(last.name, last.parameters, (*last.pieces, more), last.inputs, last.outputs)
    return tuple(links)


def _window(pool: nn.Module) -> int:
    size, axes = pool.kernel_size, {"1d": 1, "2d": 2, "3d": 3}[type(pool).__name__[-2:]]
    return int(torch.tensor(size).prod()) if isinstance(size, tuple) else int(size) ** axes  # type: ignore[arg-type]


def is_dense_sized(subject: Subject) -> None:
    """Demand a chain of layers and ReLUs alone, with several scores and one set of inputs.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is in the way.
    """
    is_chain(subject)
    if subject.loss.name == "binary-cross-entropy":
        raise NotApplicable("margins are of two or more scores, and this network has one", do=INSTEAD)
    if subject.train.x_per_member:
        raise NotApplicable("every network has inputs of its own", do="certify them one by one")
    for name, module in subject.population.template.named_modules():
        if isinstance(module, (*MAXIMA, *MEANS)):
            raise NotApplicable(f"'{name}' pools, and these norms are of layers and ReLUs alone", do=INSTEAD)
        if isinstance(module, nn.LeakyReLU) and abs(module.negative_slope) > 1:
            raise NotApplicable(f"'{name}' stretches distances", do=INSTEAD)


@evidence(requires=is_dense_sized)
def layer_matrices(subject: Subject, folded: Population, chain: tuple[Link, ...]) -> LayerMatrices:
    """Every layer as a matrix on the data, biases in a column of their own, with those at initialisation where they are known."""
    for link in chain:
        if len(folded) * (link.inputs + 1) * (link.outputs + 1) > ENTRIES:
            raise NotApplicable(
                f"the matrix of '{link.name}' has {link.inputs:,} x {link.outputs:,} entries", do=INSTEAD
            )
    initial = subject.initial
    plain = initial is not None and not any(isinstance(m, NORMS) for m in subject.population.template.modules())
    matrices = _matrices(subject, folded, chain)
    reference = (
        _matrices(subject, initial, chain) if plain and initial is not None else tuple(map(torch.zeros_like, matrices))
    )
    x = tree_leaves(subject.train.x)[0].double().flatten(1)
    return LayerMatrices(matrices, reference, torch.cat([x, x.new_ones(len(x), 1)], dim=1))


def _matrices(subject: Subject, population: Population, chain: tuple[Link, ...]) -> tuple[Tensor, ...]:
    shapes = _entrances(subject, population, chain)
    found = []
    for place, link in enumerate(chain):
        module, shape = population.template.get_submodule(link.name), shapes[link.name]
        before = f"{link.name}." if link.name else ""  # the network may be one layer
        named = {key: population.parameters[before + key].double() for key, _ in module.named_parameters()}
        basis = torch.eye(link.inputs, dtype=torch.float64).reshape(link.inputs, *shape)

        def applied(parameters: dict[str, Tensor], inputs: Tensor, module: nn.Module = module) -> Tensor:
            made: Tensor = functional_call(module, parameters, (inputs,))
            return made.flatten(1)

        with torch.no_grad(), vectorisable_kernels():
            shift = vmap(applied, in_dims=(0, None))(named, torch.zeros_like(basis[:1]))  # [M, 1, out]
            linear = vmap(applied, in_dims=(0, None))(named, basis) - shift  # [M, in, out]
        whole = torch.cat([linear.transpose(1, 2), shift.transpose(1, 2)], dim=2)
        if place < len(chain) - 1:
            one = whole.new_zeros(len(whole), 1, whole.shape[2])
            one[:, :, -1] = 1.0
            whole = torch.cat([whole, one], dim=1)
        found.append(whole)
    return tuple(found)


def _entrances(subject: Subject, population: Population, chain: tuple[Link, ...]) -> dict[str, torch.Size]:
    shapes: dict[str, torch.Size] = {}
    template = population.template

    def watch(name: str):  # type: ignore[no-untyped-def]
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            shapes[name] = inputs[0].shape[1:]

        return hook

    hooks = [template.get_submodule(link.name).register_forward_pre_hook(watch(link.name)) for link in chain]
    try:
        with torch.no_grad(), vectorisable_kernels():
            population.call_one(*population.tensors(0), placed(subject.probe, population.device, population.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return shapes
