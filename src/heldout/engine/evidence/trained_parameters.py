"""The parameters as they were trained."""

from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.subject import Subject


@evidence()
def trained_parameters(subject: Subject) -> dict[str, Tensor]:
    """Every parameter as it was trained, batch norms not folded, name -> ``[M, ...]``, as ``mean_gradient`` has them."""
    return dict(subject.population.parameters)
