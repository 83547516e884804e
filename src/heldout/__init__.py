"""heldout tells you what your neural network will do on data it has not seen.

Letters of every shape in the package: M networks, N examples, C classes, P parameters, L layers, D draws, K chains,
F folds, T steps. Names below are found on first use, so that ``import heldout`` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

from heldout._version import __version__

if TYPE_CHECKING:
    from heldout.catalog import measure
    from heldout.engine.population import Population
    from heldout.engine.subject import Subject
    from heldout.engine.sweeping import sweep
    from heldout.engine.training import Recipe
    from heldout.engine.trajectories import train
    from heldout.records import Refusal
    from heldout.verbs.audit import audit
    from heldout.verbs.certify import certify
    from heldout.verbs.judge import judge
    from heldout.verbs.plan import plan
    from heldout.verbs.predict import predict
    from heldout.verbs.sample_posterior import sample_posterior
    from heldout.verbs.study import study
    from heldout.verbs.watch import Watch

_PLACES = {
    "Population": "heldout.engine.population",
    "Recipe": "heldout.engine.training",
    "Refusal": "heldout.records",
    "Subject": "heldout.engine.subject",
    "Watch": "heldout.verbs.watch",
    "audit": "heldout.verbs.audit",
    "certify": "heldout.verbs.certify",
    "judge": "heldout.verbs.judge",
    "measure": "heldout.catalog",
    "plan": "heldout.verbs.plan",
    "predict": "heldout.verbs.predict",
    "sample_posterior": "heldout.verbs.sample_posterior",
    "study": "heldout.verbs.study",
    "sweep": "heldout.engine.sweeping",
    "train": "heldout.engine.trajectories",
}

__all__ = [
    "Population",
    "Recipe",
    "Refusal",
    "Subject",
    "Watch",
    "__version__",
    "audit",
    "certify",
    "judge",
    "measure",
    "plan",
    "predict",
    "sample_posterior",
    "study",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"heldout has no '{name}'; it has {', '.join(__all__)}")
    import importlib
    import random

    state = random.getstate()  # packages draw from it while they are imported, and a training may be under way
    try:
        return getattr(importlib.import_module(_PLACES[name]), name)
    finally:
        random.setstate(state)


def __dir__() -> list[str]:
    return sorted(__all__)
