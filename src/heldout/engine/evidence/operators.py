"""Norms of the layers as the linear maps they are on the data: stride, padding, dilation, groups and input size included."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from heldout.catalog import evidence
from heldout.engine.population import Inputs, Population, stream, weight_layers
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
STEPS = 320  # a convolution's largest singular values are close neighbours, which takes tens to hundreds of steps
BETWEEN = 8  # steps from one test of convergence to the next
TOLERANCE = 1e-5  # of the squared norm: the norm itself is then off by at most 5e-6 relative


class OperatorNorm(NamedTuple):
    """The spectral norm of one layer.

    Attributes:
        norm: ``[M]``, float64.
        converged: Whether the iteration settled, ``[M]``; the norm is otherwise a lower bound.
    """

    norm: Tensor
    converged: Tensor


@evidence()
def operator_norms(
    subject: Subject, folded: Population, spectra: dict[str, Tensor], seed: int
) -> dict[str, OperatorNorm]:
    """Spectral norm of every layer as an operator on its input: convolutions exactly, others by their matrix."""
    # a convolution that sees several sizes is measured at the largest; one that no data reach is left out
    shapes = input_shapes(folded, subject.probe)
    norms = {}
    for layer in weight_layers(folded):
        module = folded.template.get_submodule(layer.module)
        if not isinstance(module, CONVOLUTIONS) or layer.name != f"{layer.module}.weight":
            norm = spectra[layer.name][:, 0]
            norms[layer.name] = OperatorNorm(norm, torch.ones_like(norm, dtype=torch.bool))
        elif layer.module in shapes:
            start = torch.randn(
                shapes[layer.module], generator=stream(seed, "operator-norm", layer.name), dtype=torch.float64
            )
            norms[layer.name] = convolution_norm(module, folded.parameters[layer.name], start, memory=folded.memory)
    return norms


def input_shapes(population: Population, example: Inputs) -> dict[str, torch.Size]:
    """Shape of one example at the entrance of every convolution.

    Args:
        population: The networks.
        example: One example, leaves ``[1, ...]``.

    Returns:
        Module's name -> ``(channels, *size)``, the largest if there are several.
    """
    shapes: dict[str, torch.Size] = {}

    def watch(name: str, axes: int) -> Any:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            shape = inputs[0].shape[-axes:]  # a convolution's input may stand without a batch axis
            if name not in shapes or shape.numel() > shapes[name].numel():
                shapes[name] = shape

        return hook

    found = [(name, m) for name, m in population.template.named_modules() if isinstance(m, CONVOLUTIONS)]
    hooks = [module.register_forward_pre_hook(watch(name, module.weight.ndim - 1)) for name, module in found]
    try:
        with torch.no_grad(), vectorisable_kernels():
            population.call_one(*population.tensors(0), placed(example, population.device, population.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def convolution_norm(module: nn.Module, weights: Tensor, start: Tensor, *, memory: int) -> OperatorNorm:
    r"""Spectral norms of the linear map ``x -> W * x`` of a layer without its bias.

    .. math:: \|A\|_2 = \sqrt{\lambda_{max}(A^T A)}

    by Lanczos iteration in float64, A by the layer itself and its transpose by automatic differentiation.

    Args:
        module: A convolution, for its geometry.
        weights: ``[M, out, in, ...]``.
        start: Where to start, in the shape of the layer's input.
        memory: Bytes that the vectors of one chunk of members may take.

    Returns:
        One norm a member.
    """
    # functional_call leaves what is not named in place, and float32 biases do not go with float64 weights
    fixed = {"bias": torch.zeros_like(module.bias, dtype=torch.float64)} if isinstance(module.bias, Tensor) else {}

    def normal(weight: Tensor, x: Tensor) -> Tensor:
        def layer(x: Tensor) -> Tensor:
            return functional_call(module, {"weight": weight, **fixed}, (x.unsqueeze(0),)).squeeze(0)

        made: Any = vjp(layer, x)
        return made[1](made[0])[0]

    receptive = weights[0, 0, 0].numel()
    a_member = 8 * start.numel() * (receptive + 4)  # the unfolded input is what takes room
    chunks = torch.split(weights, max(1, memory // a_member))
    parts = [_largest(vmap(normal), chunk.double(), start.to(weights.device)) for chunk in chunks]
    return OperatorNorm(torch.cat([part.norm for part in parts]), torch.cat([part.converged for part in parts]))


def _largest(normal: Any, weights: Tensor, start: Tensor) -> OperatorNorm:
    """Square root of the largest eigenvalue of ``normal(weights, .)`` for each member, ``[M]``."""
    # Lanczos without reorthogonalisation: lost orthogonality repeats eigenvalues already found and leaves the largest as it
    # is (Paige 1971), and only three vectors are kept. The residual beta_k |s_k| of the largest Ritz pair bounds its
    # distance from an eigenvalue. Every member keeps the value of the first test it passes, so that none depends on company.
    members = len(weights)
    new = start.expand(members, *start.shape) / start.norm()
    old = torch.zeros_like(new)
    alphas, betas = [], [weights.new_zeros(members)]
    value, converged = weights.new_zeros(members), torch.zeros(members, dtype=torch.bool, device=weights.device)

    def each(numbers: Tensor) -> Tensor:
        return numbers.reshape(-1, *[1] * start.ndim)

    with vectorisable_kernels():
        for step in range(1, STEPS + 1):
            image = normal(weights, new) - each(betas[-1]) * old
            alphas.append((image * new).flatten(1).sum(1))
            image = image - each(alphas[-1]) * new
            betas.append(image.flatten(1).norm(dim=1))
            # an invariant space has been found where beta is zero: what follows is zero and changes nothing
            old, new = new, image / each(betas[-1]).clamp(min=torch.finfo(torch.float64).tiny)
            if step % BETWEEN == 0 or step == start.numel():
                ritz, vectors = torch.linalg.eigh(_tridiagonal(alphas, betas[1:-1]))
                residual = betas[-1] * vectors[:, -1, -1].abs()
                settled = residual <= TOLERANCE * ritz[:, -1]
                value = torch.where(converged, value, ritz[:, -1])
                converged = converged | settled | (ritz[:, -1] <= 0)
                if bool(converged.all()):
                    break
    return OperatorNorm(value.clamp(min=0).sqrt(), converged)


def _tridiagonal(diagonal: list[Tensor], between: list[Tensor]) -> Tensor:
    matrix = torch.diag_embed(torch.stack(diagonal, 1))
    return (
        matrix if not between else matrix + torch.diag_embed(torch.stack(between, 1), offset=-1)
    )  # eigh reads the lower
