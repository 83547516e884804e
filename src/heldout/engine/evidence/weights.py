"""The weights, with batch norms folded first."""

from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.population import Population, fold_batch_norm, weight_matrices
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


@evidence()
def folded(subject: Subject) -> Population:
    """The same functions with batch norms folded: on this population all weight norms and noises are measured."""
    return fold_batch_norm(subject.population, subject.probe)


def has_initial_weights(subject: Subject) -> None:
    """Demand the weights at initialisation.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If they are not known.
    """
    if subject.initial is None:
        raise NotApplicable("the weights at initialisation are not known", do="pass initial=untrained_network")


@evidence(requires=has_initial_weights)
def folded_at_init(subject: Subject) -> Population:
    """The networks at initialisation, folded with their own statistics."""
    assert subject.initial is not None  # has_initial_weights was asked first
    return fold_batch_norm(subject.initial, subject.probe)


@evidence()
def weights(folded: Population) -> dict[str, Tensor]:
    """Weight layers as matrices, layer's name -> ``[M, out, in]``; biases and normalisation scales are not among them."""
    return weight_matrices(folded)


@evidence()
def weights_at_init(folded_at_init: Population) -> dict[str, Tensor]:
    """The same at initialisation."""
    return weight_matrices(folded_at_init)


@evidence()
def parameter_count(subject: Subject) -> int:
    """Parameters of one network before folding, a tied weight counted once."""
    return subject.population.size
