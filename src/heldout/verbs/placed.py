"""An audit's readings among those of the networks whose risk is known."""

from collections.abc import Mapping

from heldout.atlas import Placement, atlas_table, placement
from heldout.atlas.placing import LOSS
from heldout.engine.evidence.contexts import contexts
from heldout.engine.subject import Subject
from heldout.records import Reading


def placed(subject: Subject, readings: Mapping[str, Reading]) -> Placement:
    """Place the readings on the atlas.

    Args:
        subject: What was audited.
        readings: By name.

    Returns:
        Percentiles where they mean something, reasons where they do not.
    """
    values = {name: [row["value"] for row in reading.rows()] for name, reading in readings.items()}
    losses = [value for value in values.get("train-loss", []) if value is not None]
    facts = {
        **contexts(subject),
        "measure.params": float(subject.population.size),
        LOSS: max(losses) if len(losses) == len(subject.population) and subject.loss.name == "cross-entropy" else None,
    }
    return placement(values, facts, atlas_table())
