"""What has been declared: the decorators that stand beside units, and the walk that finds them."""

from heldout.catalog.criteria import criterion
from heldout.catalog.declaring import (
    INVARIANCES,
    Unit,
    bound,
    dataset,
    evidence,
    figure,
    measure,
    network,
    profile,
)
from heldout.catalog.observables import observable
from heldout.catalog.studies import Claim, intervention, study
from heldout.catalog.walking import ROOMS, find, units

__all__ = [
    "INVARIANCES",
    "ROOMS",
    "Claim",
    "Unit",
    "bound",
    "criterion",
    "dataset",
    "evidence",
    "figure",
    "find",
    "intervention",
    "measure",
    "network",
    "observable",
    "profile",
    "study",
    "units",
]
