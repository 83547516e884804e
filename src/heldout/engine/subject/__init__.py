"""What is under study: networks, data, loss, and what else is known of them."""

from heldout.engine.subject.examples import Examples, as_examples
from heldout.engine.subject.losses import Loss, loss_named
from heldout.engine.subject.subject import Subject

__all__ = ["Examples", "Loss", "Subject", "as_examples", "loss_named"]
