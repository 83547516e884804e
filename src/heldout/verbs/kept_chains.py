"""Chains of a posterior that is being sampled, kept in a store."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from heldout.engine.store import Store
from heldout.engine.store.tensors import keep_tensors, kept_tensors
from heldout.engine.store.writing import said_in_a_sentence


@dataclass(frozen=True, slots=True)
class KeptChains:
    """The place of one course of sampling in a store.

    Attributes:
        store: Which.
        key: Of the work.
        stage: ``"chains"``, or the ``"rungs"`` of a ladder.
    """

    store: Store
    key: str
    stage: str

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What an earlier process kept; None if there was none."""
        return kept_tensors(self.store, self.key, self.stage)

    def write(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Keep this in place of it."""
        with said_in_a_sentence(self.store.url, "chains kept before are taken up"):
            keep_tensors(self.store, self.key, self.stage, tensors, plain)


def place_of(store: str) -> Store | None:
    """A store that can be written to.

    Args:
        store: A directory or URL; empty to keep nothing.

    Returns:
        The store.
    """
    if not store:
        return None
    place = Store(store)
    place.check_writable()
    return place


def keep_at(place: Store | None, key: str, stage: str) -> KeptChains | None:
    """Where one stage of the work is kept.

    Args:
        place: A store; None to keep nothing.
        key: Of the work.
        stage: Of it.

    Returns:
        The place.
    """
    return KeptChains(place, key, stage) if place else None
