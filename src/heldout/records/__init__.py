"""What comes out: readings, profiles, certificates, and the closed list of sentences that say how each one went.

Letters of every shape in the package: M networks, N examples, C classes, P parameters, L layers, D draws,
K chains, F folds, T steps. ``Estimate`` and ``estimate`` hold tensors and are found on first use, so that who only reads records
never waits for torch.
"""

from typing import TYPE_CHECKING, Any

from heldout.records.bounded import Bounded
from heldout.records.certificate import Certificate, Spent
from heldout.records.passes import Passes
from heldout.records.reading import Profile, Reading
from heldout.records.refusal import NotApplicable, Refusal, refuse
from heldout.records.status import Direction, Status

if TYPE_CHECKING:
    from heldout.records.estimates import Estimate, estimate

__all__ = [
    "Bounded",
    "Certificate",
    "Direction",
    "Estimate",
    "NotApplicable",
    "Passes",
    "Profile",
    "Reading",
    "Refusal",
    "Spent",
    "Status",
    "estimate",
    "refuse",
]


def __getattr__(name: str) -> Any:
    if name not in ("Estimate", "estimate"):
        raise AttributeError(f"heldout.records has no '{name}'; it has {', '.join(__all__)}")
    import importlib

    return getattr(importlib.import_module("heldout.records.estimates"), name)
