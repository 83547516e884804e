"""Training whole populations at once."""

from heldout.engine.training.fit import Fitted, fit
from heldout.engine.training.intervention import Intervention, Setting
from heldout.engine.training.outcomes import errors, joined, mean_losses, members_of
from heldout.engine.training.plans import Plan
from heldout.engine.training.recipe import Recipe

__all__ = [
    "Fitted",
    "Intervention",
    "Plan",
    "Recipe",
    "Setting",
    "errors",
    "fit",
    "joined",
    "mean_losses",
    "members_of",
]
