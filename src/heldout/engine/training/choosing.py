"""The choice of a plan (first cut: one eager stack)."""

import torch
from heldout.engine.training.plans import Plan


def chosen_plan(population, examples, loss, recipe, batches, seed, numbers):
    return Plan(len(population), 1, torch.get_num_threads(), False, True)
