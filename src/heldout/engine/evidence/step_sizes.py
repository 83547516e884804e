"""The step sizes of the recipe, for what is known of stochastic gradient descent."""

import numpy as np
from numpy.typing import NDArray

from heldout.catalog import evidence
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable


@evidence()
def step_sizes(subject: Subject, recipe: Recipe) -> NDArray[np.float64]:
    """Sum of the step sizes of every network, at most, ``[M]``."""
    if recipe.optimizer != "sgd":
        raise NotApplicable(
            f"the recipe takes steps of {recipe.optimizer}, and the theorem is about SGD",
            do="pass the recipe of the training, if it was SGD",
        )
    rates = np.asarray(recipe.lr, dtype=np.float64)
    return np.broadcast_to(rates, len(subject.population)) * float(recipe.steps)
