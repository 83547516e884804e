"""A study: a phenomenon of the literature, run on its grid, and a verdict on each claim about it."""

import difflib
import hashlib
import inspect
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from torch.utils._pytree import tree_leaves

from heldout._version import __version__
from heldout.catalog import Unit, units
from heldout.catalog.studies import SIZES, cells
from heldout.engine.store import Store, address, keep_cell, read_cell
from heldout.engine.store.writing import said_in_a_sentence
from heldout.engine.training.limits import within_memory
from heldout.records import Refusal
from heldout.verbs.claims import judged
from heldout.verbs.study_changes import blamed_on, checked_changes
from heldout.verbs.study_record import StudyRecord

Progress = Callable[[str, int, int], None]
#: What the user may put in place of a study's own data and network.
OWN = ("data", "network")
KEPT = "finished cells are kept"


def study(
    name: str,
    *,
    size: str = "smoke",
    seed: int = 0,
    data: Any = None,
    network: Callable[..., Any] | None = None,
    store: str = "",
    memory: int | str | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> StudyRecord:
    """Run a study of the catalog.

    Args:
        name: Such as ``"double-descent-width"``.
        size: ``smoke`` (seconds), ``laptop`` (minutes on two cores) or ``paper`` (the published scale).
        seed: From which every random stream derives.
        data: Your own ``((x, y), (x_test, y_test))`` in place of the study's, where it takes data.
        network: Your own factory in place of the study's, where it takes one.
        store: Where finished cells are kept, directory or URL; a study that was stopped goes on from there. Empty for nowhere.
        memory: What the stacks of networks in training may take together, such as ``"4GiB"``; half of what is free unless given.
        progress: Called before every cell with its settings in words, its number and their count.
        **changes: Fields of the grid to set otherwise; a list becomes an axis.

    Returns:
        The table, the claims with their verdicts, the figure.

    Raises:
        Refusal: If there is no such study, size or field, or the seed is no whole number.

    Example:
        >>> record = study("double-descent-least-squares", size="smoke")
        >>> record.claims[0]["verdict"]
        'reproduced'
    """
    found = find_study(name)
    if type(seed) is not int or seed < 0:
        raise Refusal(given=f"seed was {seed!r}", expected="a whole number from 0", do="pass seed=0")
    grid = {**_grid(found, size), **checked_changes(name, _fields(found, size), changes)}
    own = {key: value for key, value in (("data", data), ("network", network)) if value is not None}
    for key in own:
        if key not in found.settings:
            raise Refusal(
                given=f"{key} was passed to '{name}'",
                expected=f"a study that takes your own {key}",
                do=f"leave {key} out; 'heldout explain {name}' says what it takes",
            )
    place = opened_store(store)
    started, tables, todo = time.perf_counter(), [], list(cells(grid))
    for number, cell in enumerate(todo):
        if progress:
            progress(", ".join(f"{key} {value}" for key, value in cell.items()), number, len(todo))
        with within_memory(memory), blamed_on(name, {**changes, **own}), said_in_a_sentence(store, KEPT):
            tables.append(kept_or_made(place, found, cell, seed, own))
    table = pd.concat(tables, ignore_index=True)
    with blamed_on(name, {**changes, **own}):
        claims: list[Mapping[str, Any]] = [judged(claim, table) for claim in found.fields["claims"]]
    return StudyRecord(
        study=name,
        question=found.summary,
        size=size if not changes and not own else f"{size}, changed",
        settings={**grid, "seed": seed},
        table=table,
        claims=claims,
        seconds=time.perf_counter() - started,
    )


def opened_store(url: str) -> Store | None:
    """A store that can be written to.

    Args:
        url: Directory or URL; empty for none.

    Returns:
        The store; it refuses a place where nothing can be written before anything is computed.
    """
    if not url:
        return None
    place = Store(url)
    place.check_writable()
    return place


def kept_or_made(
    place: Store | None, found: Unit, cell: Mapping[str, Any], seed: int, own: Mapping[str, Any]
) -> pd.DataFrame:
    """A cell from the store, or made and kept there.

    Args:
        place: The store, or none.
        found: The study.
        cell: Field -> value.
        seed: From which every random stream derives.
        own: The user's data and network.

    Returns:
        Its rows.
    """
    if place is None or "network" in own:  # a user's factory has no address: its code may change under its name
        return cell_table(found, cell, seed, own)
    source = Path(inspect.getfile(found.function)).read_bytes()
    name = address(
        study=found.name, cell=dict(cell), seed=seed, data=fingerprint_of(own.get("data")), heldout=__version__,
        source=hashlib.sha256(source).hexdigest(),
    )  # fmt: skip
    kept = read_cell(place, name)
    if kept is None:
        kept = cell_table(found, cell, seed, own)
        keep_cell(place, name, kept)
    return kept


def fingerprint_of(data: Any) -> str:
    """A name for the user's data, by content.

    Args:
        data: Nested pairs of tensors or arrays, or None.

    Returns:
        Hexadecimal digits; empty for none.
    """
    if data is None:
        return ""
    digest = hashlib.sha256()
    for leaf in tree_leaves(data):
        array = np.ascontiguousarray(leaf.detach().cpu().numpy() if hasattr(leaf, "detach") else np.asarray(leaf))
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:20]


def find_study(name: str) -> Unit:
    """The study of this name.

    Args:
        name: Kebab-case.

    Returns:
        Its unit.

    Raises:
        Refusal: If there is none, with the nearest names.
    """
    known = units("study")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or list(known)[:3]
        raise Refusal(
            given=f"study was '{name}'",
            expected=f"one such as {', '.join(near)}",
            do="see all with 'heldout study list'",
        )
    return known[name]


def cell_table(found: Unit, cell: Mapping[str, Any], seed: int, own: Mapping[str, Any]) -> pd.DataFrame:
    """One cell of a study: what its function gives, with the cell's settings as columns.

    Args:
        found: The study.
        cell: Field -> value.
        seed: From which every random stream derives.
        own: The user's data and network, where they take the place of the study's.

    Returns:
        One row a seed (and step, ... inside the cell).
    """
    with threadpool_limits(1, user_api="blas"):  # small decompositions lose more to waiting threads than they gain
        columns = pd.DataFrame(found.function(**cell, seed=seed, **own))
    settings = {
        key: value for key, value in cell.items() if key not in columns and isinstance(value, str | int | float)
    }
    return columns.assign(**settings)


def _fields(found: Unit, size: str) -> Mapping[str, Any]:
    return {**{k: v for k, v in found.settings.items() if k not in ("seed", *OWN)}, **_grid(found, size)}


def _grid(found: Unit, size: str) -> Mapping[str, Any]:
    grids: Mapping[str, Any] = found.fields["sizes"]
    if not isinstance(size, str) or size not in grids:
        raise Refusal(given=f"size was '{size}'", expected=f"one of {', '.join(SIZES)}", do="pass size='laptop'")
    return dict(grids[size])
