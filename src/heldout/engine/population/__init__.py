"""A population: M networks of one architecture held as stacked parameters, called as one."""

from heldout.engine.population.blocks import Block, Blocks, blocks_of
from heldout.engine.population.calling import Inputs, call_module, examples_in, inputs_at
from heldout.engine.population.folding import fold_batch_norm
from heldout.engine.population.layers import Layer, weight_layers, weight_matrices
from heldout.engine.population.stack import Population, Tally
from heldout.engine.population.streams import stream

__all__ = [
    "Block",
    "Blocks",
    "Inputs",
    "Layer",
    "Population",
    "Tally",
    "blocks_of",
    "call_module",
    "examples_in",
    "fold_batch_norm",
    "inputs_at",
    "stream",
    "weight_layers",
    "weight_matrices",
]
