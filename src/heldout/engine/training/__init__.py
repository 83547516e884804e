"""Training whole populations at once."""

from heldout.engine.training.descent import train_to_fit

__all__ = ["train_to_fit"]
