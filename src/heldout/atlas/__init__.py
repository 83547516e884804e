"""The atlas: a table of small trained networks that ships with heldout, and where a new network's readings lie on it."""

from heldout.atlas.placing import Placement, placement
from heldout.atlas.table import atlas_table, cells_of, shipped

__all__ = ["Placement", "atlas_table", "cells_of", "placement", "shipped"]
