"""Batch norm's running statistics computed anew, as weights that were averaged or moved need them."""

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from heldout.engine.population.calling import Inputs, arguments_for, examples_in, only_tensor, placed
from heldout.engine.population.stack import Population
from heldout.engine.population.vectorising import vectorisable_kernels

NORM = nn.modules.batchnorm._BatchNorm


def with_own_batch_statistics(population: Population, inputs: Inputs, *, members: int = 8) -> Population:
    """The same networks with the running mean and variance of every batch norm set to those of some data.

    All examples make one batch. A norm sees what the layers before it give with *their* statistics of this batch, so deep
    networks need no second pass. Networks without batch norm are given back as they are.

    Args:
        population: M networks.
        inputs: Such as the training inputs, leaves ``[N, ...]``; their activations must fit ``members`` times.
        members: Networks at a time.

    Returns:
        The population with new buffers; its work is counted as one forward pass.
    """
    template = copy.deepcopy(population.template).eval()
    norms = [module for module in template.modules() if isinstance(module, NORM) and module.track_running_stats]
    if not norms:
        return population
    for norm in norms:
        norm.train()
        norm.momentum = 1.0  # the running statistics become the batch's
    x = placed(inputs, population.device, population.dtype)
    arguments, keywords = arguments_for(template, x)
    examples = examples_in(x)

    def statistics(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
        changed = {name: tensor.clone() for name, tensor in buffers.items()}
        only_tensor(functional_call(template, {**parameters, **changed}, arguments, keywords))
        return changed

    with torch.no_grad(), vectorisable_kernels():
        buffers = torch.vmap(statistics, chunk_size=members)(population.parameters, population.buffers)
    population.tally.forward += examples * len(population)
    kept = {name: buffers[name] if "running_" in name else old for name, old in population.buffers.items()}
    return population.with_tensors(population.parameters, kept)
