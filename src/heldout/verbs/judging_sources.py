"""Where a ledger comes from: a table, a sweep whose networks are measured now, or a table that ships with heldout."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas

from heldout._version import __version__
from heldout.catalog import Unit
from heldout.engine.judging.ledger import Ledger, as_ledger, read_ledger
from heldout.engine.store import address
from heldout.engine.store.ledgers import keep_ledger
from heldout.engine.sweeping import Sweep, read_sweep
from heldout.records import Direction, Refusal
from heldout.verbs.audit import chosen, whole_seed
from heldout.verbs.own_measures import Own, own_measures
from heldout.verbs.population_ledger import Measured, Progress, measured
from heldout.verbs.populations import NAMED, named_ledger, named_networks, networks_of

if TYPE_CHECKING:
    from torch import nn

Source = Ledger | pandas.DataFrame | Sweep | str | Path


def ledger_of(
    source: Source,
    *,
    target: str,
    own: Sequence[Own] = (),
    thorough: bool = False,
    network: "Callable[..., nn.Module] | str" = "",
    train: Any = None,
    test: Any = None,
    shift: Any = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Ledger, str]:
    """The ledger of a source.

    Args:
        source: As :func:`heldout.judge` takes it.
        target: What is to be predicted.
        own: Measures of the user's own.
        thorough: Whether dear measures are computed too.
        network: Factory, where a store does not know it.
        train: Training data, likewise.
        test: Test data, likewise.
        shift: Data from elsewhere.
        seed: Of stochastic measures.
        progress: Told what was done.

    Returns:
        The ledger, and where it was kept (empty if it was not made here).

    Raises:
        Refusal: If measures are to be computed and there are no networks, or the source is none.
    """
    extra, seed = own_measures(own), whole_seed(seed)
    if isinstance(source, str | Path) and str(source) in NAMED:
        return _named(str(source), target, extra, seed, progress), ""
    if isinstance(source, str | Path) and Path(source).suffix.lower() not in (".parquet", ".csv"):
        source = read_sweep(str(source), network=network, data=train, test=test)
    if isinstance(source, Sweep):
        return _swept(source, target, extra, shift, seed, progress, thorough=thorough)
    if extra:
        raise Refusal(
            given=f"the measure '{extra[0].name}' was to be computed on a table, which holds no networks",
            expected="a population: --population with the store of a sweep, or a Sweep",
            do="judge the population, or add the column measure." + extra[0].name + " to the table",
        )
    if isinstance(source, Ledger):
        return source, ""
    if isinstance(source, pandas.DataFrame):
        return as_ledger(source, target=target), ""
    if isinstance(source, str | Path):
        return read_ledger(str(source), target=target), ""
    raise Refusal(
        given=f"judge was given a {type(source).__name__}",
        expected="a table, a Sweep, the store of one, or 'atlas'",
        do="pass the path of a ledger or what heldout.sweep returned",
    )


def _swept(
    sweep: Sweep, target: str, own: Sequence[Unit], shift: Any, seed: int, progress: Progress | None, *, thorough: bool
) -> tuple[Ledger, str]:
    if target == "shift-accuracy" and shift is None:
        raise Refusal(
            given="the target is shift-accuracy and there are no data from elsewhere",
            expected="shifted data",
            do="pass --shift DATA",
        )
    measures, _ = chosen((), thorough=thorough)
    found = measured(networks_of(sweep, shift), measures, own=own, seed=seed, store=sweep.store, progress=progress)
    name = address(
        buckets=list(sweep.names), seed=seed, heldout=__version__, thorough=thorough, own=[unit.name for unit in own],
        shift=shift is not None,
    )  # fmt: skip
    kept = keep_ledger(sweep.store, name, found.table)
    return _ledger(found, target, own, Path(sweep.store.path).name or sweep.store.url), kept


def _named(name: str, target: str, own: Sequence[Unit], seed: int, progress: Progress | None) -> Ledger:
    """A shipped table; measures of the user's own are computed on its networks, trained again, and joined to it."""
    table = named_ledger(name)
    if not own:
        return _ledger(Measured(table), target, own, name)
    again = measured(named_networks(name), {}, own=own, seed=seed, progress=progress)
    keys = [str(column) for column in table.columns if str(column).startswith("hp.") or column == "seed"]
    columns = [column for column in again.table.columns if column.startswith("measure.")]
    own_rows = again.table[keys + columns].drop_duplicates(keys)  # parts of a design may meet in a few recipes
    joined = table.merge(own_rows, on=keys, how="left", validate="one_to_one")
    return _ledger(Measured(joined, again.absent), target, own, name)


def _ledger(found: Measured, target: str, own: Sequence[Unit], name: str) -> Ledger:
    directions: Mapping[str, Direction] = {unit.name: unit.direction for unit in own}
    return as_ledger(found.table, target=target, directions=directions, absent=found.absent, name=name)
