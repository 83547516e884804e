"""Chains that sample localised, tempered posteriors of networks: all chains of all members in one stack."""

from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.field import Field, NetworkField
from heldout.engine.sampling.sampling import sample
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.target import Target

__all__ = ["Draws", "Field", "NetworkField", "Settings", "Target", "sample"]
