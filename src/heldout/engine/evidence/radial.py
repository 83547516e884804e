"""How every example's loss changes as all weights grow together."""

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.func import jvp

from heldout.catalog import evidence
from heldout.engine.evidence.doubling import doubled
from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


@evidence(forward=2, thorough=True)
def radial_derivatives(subject: Subject, folded: Population, labels: Tensor) -> Tensor:
    r"""Inner product of the folded weights with the gradient of every training example's loss, ``[M, N]``, float64.

    .. math:: \langle w, \nabla_w \ell_i \rangle = \frac{d}{ds} \ell(f_{s w}(x_i), y_i) \Big|_{s = 1}

    exactly, by one sweep in forward mode, which carries the derivative in direction w along with the value: counted as two. On a
    ReLU network of d layers without biases it is d times the inner product of outputs and their gradient.

    Args:
        subject: What is under study.
        folded: Its networks.
        labels: Of the training data.

    Returns:
        The derivatives.
    """
    networks, train = doubled(folded, subject.probe), subject.train
    members, block = networks.chunks(train.x, per_member=train.x_per_member)

    def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor) -> Tensor:
        def losses(weights: dict[str, Tensor]) -> Tensor:
            return subject.loss.per_example(networks.call_one(weights, buffers, x), y)

        slope: Tensor = jvp(losses, (parameters,), (parameters,))[1]
        return slope

    mapped = torch.vmap(one, in_dims=(0, 0, 0 if train.x_per_member else None, 0), chunk_size=members)

    def looped(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor) -> Tensor:
        own = (inputs_at(x, row) if train.x_per_member else x for row in range(len(y)))
        return torch.stack([one(*networks.tensors(row), data, y[row]) for row, data in enumerate(own)])

    columns, derive = [], mapped
    with vectorisable_kernels(), warnings.catch_warnings():
        # PyTorch compiles its own rules of forward mode when they are first used, in a way that it warns of itself
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)
        for start in range(0, len(train), block):
            batch = train.take(slice(start, start + block))
            x, y = placed(batch.x, networks.device, networks.dtype), labels[:, start : start + block]
            try:
                columns.append(derive(networks.parameters, networks.buffers, x, y))
            except Exception:  # some kernels have no rule under vmap; one by one gives the same numbers
                derive = looped
                columns.append(_forward_mode(derive, networks, x, y))
    networks.tally.forward += 2 * labels.shape[0] * labels.shape[1]
    return torch.cat(columns, dim=1)


def _forward_mode(derive: Any, networks: Population, x: Inputs, y: Tensor) -> Tensor:
    try:
        return derive(networks.parameters, networks.buffers, x, y)
    except NotImplementedError as lacking:
        raise NotApplicable(
            "a layer, such as a weight norm, has no derivative in forward mode", do="remove its parametrisation"
        ) from lacking
