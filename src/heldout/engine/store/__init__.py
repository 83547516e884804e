"""The store: a directory, or any fsspec URL, of immutable segments. Many writers, no locks, no server.

::

    store.json                 {"store": 1, "heldout": version}: the layout's version, written once
    runs/RUN.json              one whole record, as ``heldout audit --json`` writes it
    readings/RUN.parquet       its readings, one row a reading and member, with the run's name and the subject's
    parts/KEY/READING.json     what an audit under way has finished; removed when its record is written
    parts/KEY/STAGE.safetensors  chains of a posterior under way, likewise
    certifications/, judgements/, posteriors/, predictions/RUN.json
                               one record of each of the other commands
    studies/RUN.json           one record of a study: claims with verdicts, and the rows of its figure
    cells/ADDRESS.parquet      a cell of a study; ADDRESS is a hash of everything that decides its rows
    packs/NAME.parquet         derived from the above for ``heldout serve``; may be deleted at any time

RUN is the time of writing and the content, ``20260131T235959Z-0123456789ab``: twelve hexadecimal digits of the SHA-256 of the
record, so that two writers meet only if they write the same thing. A segment is written whole under a name that starts
with a dot and then renamed; a reader never sees a part of one, and ignores what a killed writer left. The record is
written last: a run exists when its record does, and readings without a record are not shown.
"""

from heldout.engine.store.cells import address, keep_cell, read_cell
from heldout.engine.store.parts import drop_parts, keep_part, parts
from heldout.engine.store.results import find_result, read_result, result_names, result_runs, write_result
from heldout.engine.store.store import LAYOUT, Store
from heldout.engine.store.studies import find_study_run, study_runs, write_study

__all__ = [
    "LAYOUT",
    "Store",
    "address",
    "drop_parts",
    "find_result",
    "find_study_run",
    "keep_cell",
    "keep_part",
    "parts",
    "read_cell",
    "read_result",
    "result_names",
    "result_runs",
    "study_runs",
    "write_result",
    "write_study",
]
