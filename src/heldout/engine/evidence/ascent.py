"""One step up the loss, measured against the size of each weight."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.subject import Subject


class AscentLosses(NamedTuple):
    """What one adaptive ascent step does to the training loss.

    Attributes:
        increase: Mean training loss after the step minus before, ``[M]``, float64.
        length: Norm of the scaled gradient ``T_w g``, ``[M]``; where it is zero there is no step.
    """

    increase: Tensor
    length: Tensor


@evidence(forward=1)
def ascent_losses(
    subject: Subject, mean_gradient: dict[str, Tensor], losses: Tensor, *, rho: float = 0.5, eta: float = 0.01
) -> AscentLosses:
    """Increase of the mean training loss after one adaptive ascent step on all parameters as trained, as Kwon et al. 2021."""
    population, train = subject.population, subject.train
    step, length = ascent_step(population.parameters, mean_gradient, rho=rho, eta=eta)
    moved = {name: (weight.double() + step[name]).to(weight.dtype) for name, weight in population.parameters.items()}
    outputs = population.with_tensors(moved, population.buffers)(train.x, per_member=train.x_per_member).double()
    labels = train.labels(len(population)).to(population.device)
    after = torch.stack([subject.loss.per_example(*pair) for pair in zip(outputs, labels, strict=True)])
    return AscentLosses((after - losses).mean(1), length)


def ascent_step(
    weights: dict[str, Tensor], gradient: dict[str, Tensor], *, rho: float, eta: float
) -> tuple[dict[str, Tensor], Tensor]:
    r"""The step that raises the linearised loss most among those with ``|| T_w^{-1} step ||_2 <= rho``.

    .. math:: \epsilon = \rho \, \frac{T_w^2 g}{\|T_w g\|_2}, \quad T_w = \mathrm{diag}(|w| + \eta)

    Args:
        weights: Parameter's name -> ``[M, ...]``.
        gradient: Of the mean loss, likewise.
        rho: Radius.
        eta: Keeps weights at zero movable; with 0 the step follows a rescaling of layers exactly.

    Returns:
        The step, float64, zero where the scaled gradient is; and the norm of the scaled gradient, ``[M]``.
    """
    scales = {name: weight.double().abs() + eta for name, weight in weights.items()}
    scaled = {name: scales[name] * gradient[name].double() for name in weights}
    length = torch.stack([part.square().reshape(len(part), -1).sum(1) for part in scaled.values()]).sum(0).sqrt()
    factor = torch.where(length > 0, rho / length, 0.0)
    return {
        name: factor.reshape(-1, *[1] * (part.ndim - 1)) * scales[name] * part for name, part in scaled.items()
    }, length
