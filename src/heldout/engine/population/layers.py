"""Which tensors are weight layers W_1 ... W_L, and how each is read as a matrix."""

from dataclasses import dataclass

from torch import Tensor, nn

from heldout.engine.population.stack import Population


@dataclass(frozen=True, slots=True)
class Layer:
    """One weight layer.

    Attributes:
        name: The parameter's name, such as ``"layers.0.weight"``.
        module: The owning module's name.
        kind: The owning module's class name, such as ``"Conv2d"``.
        transposed: Whether the stored tensor is ``(in, out, ...)``, as in transposed convolutions.
    """

    name: str
    module: str
    kind: str
    transposed: bool


def weight_layers(population: Population) -> tuple[Layer, ...]:
    """Every parameter with two or more axes, in the order of the module: dense, convolutional, recurrent, attention, embedding.

    Nothing is skipped silently: what is left out are biases and the scales and shifts of normalisations, which have one axis.
    A tied weight counts once.

    Args:
        population: The networks.

    Returns:
        The layers.
    """
    layers = []
    for name, parameter in population.template.named_parameters():
        if parameter.ndim >= 2:
            owner = name.rpartition(".")[0]
            module = population.template.get_submodule(owner)
            transposed = isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
            layers.append(Layer(name, owner, type(module).__name__, transposed))
    return tuple(layers)


def weight_matrices(population: Population) -> dict[str, Tensor]:
    """The weight layers as matrices ``(out, in * receptive field)``, views where possible.

    Args:
        population: The networks.

    Returns:
        Layer's name -> ``[M, out, in]``.
    """
    matrices = {}
    for layer in weight_layers(population):
        weight = population.parameters[layer.name]
        if layer.transposed:
            weight = weight.transpose(1, 2)
        if weight.ndim > 3 and not layer.kind.startswith("Conv"):
            weight = weight.squeeze(1)  # a learnt position table is stored (1, length, width)
        matrices[layer.name] = weight.flatten(2) if weight.ndim > 3 else weight
    return matrices
