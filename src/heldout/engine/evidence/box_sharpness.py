"""How far the loss rises in a box around the weights: the maximum that sharpness after Keskar et al. is made of."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value

from heldout.engine.population import Inputs, Population
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Examples, Loss

Tensors = dict[str, Tensor]


class BoxRise(NamedTuple):
    """What was found in the box.

    Attributes:
        before: Mean loss at its centre, ``[M]``, float64.
        rise: Largest mean loss found in it minus that, ``[M]``, float64, not negative: a lower bound of the maximum.
    """

    before: Tensor
    rise: Tensor


def rise_in_box(
    population: Population, examples: Examples, loss: Loss, half_widths: Mapping[str, Tensor], *, iterations: int = 10
) -> BoxRise:
    r"""The largest mean loss at ``w + z`` with ``|z_i| <= h_i``, looked for among the corners.

    .. math:: z_{k+1} = h \odot \mathrm{sign} \nabla L(w + z_k), \quad z_0 = 0

    Where the loss is convex in the box each corner is at least as high as the one before; the best one is kept in any case.
    The iteration has no step size, and follows any re-scaling of coordinates exactly.

    Args:
        population: M networks.
        examples: On which the mean is taken.
        loss: One an example.
        half_widths: Parameter's name -> h, ``[M, ...]``; parameters that are not named stay.
        iterations: Gradients taken.

    Returns:
        Loss at the centre, and the rise.
    """

    def objective(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor) -> Tensor:
        return loss.per_example(population.call_one(parameters, buffers, x).double(), y).mean()

    in_dims = (0, 0, 0 if examples.x_per_member else None, 0)
    climb = torch.vmap(grad_and_value(objective), in_dims=in_dims)
    x = placed(examples.x, population.device, population.dtype)
    y = examples.labels(len(population)).to(population.device)
    place, values = dict(population.parameters), []
    with vectorisable_kernels():
        for _ in range(iterations + 1):
            gradients, value = climb(place, population.buffers, x, y)
            values.append(value)
            place = {
                name: weight + half_widths[name] * gradients[name].sign() if name in half_widths else weight
                for name, weight in population.parameters.items()
            }
    population.tally.forward += (iterations + 1) * y.numel()
    population.tally.backward += (iterations + 1) * y.numel()
    found = torch.stack(values)
    return BoxRise(found[0], found.amax(0) - found[0])
