"""``heldout.audit``: everything that can be read from a trained network, with what could not be and why."""

from heldout.catalog import units
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject


def audit(subject: Subject, *, seed: int = 0):
    evidence = Evidence(subject, seed=seed)
    readings = {name: read_measure(unit, evidence) for name, unit in units("measure").items()}
    return readings, evidence
