"""What comes out: readings, profiles, certificates, and the closed list of sentences that say how each one went.

Letters of every shape in the package: M networks, N examples, C classes, P parameters, L layers, D draws,
K chains, F folds, T steps.
"""

from heldout.records.bounded import Bounded
from heldout.records.certificate import Certificate, Spent
from heldout.records.estimate import Estimate, Passes, estimate
from heldout.records.reading import Profile, Reading
from heldout.records.refusal import NotApplicable, Refusal, refuse
from heldout.records.status import Direction, Status

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
