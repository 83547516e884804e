"""The index: names at once, packs that may be deleted, and everything found whichever server packed it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.engine.store.test_store import record
from tests.faces.web.conftest import fill, rows

from heldout.engine.store import Store
from heldout.engine.store.packs import read_packs
from heldout.engine.store.trajectories import finish_trajectory, keep_step
from heldout.faces.web.asking import asked
from heldout.faces.web.index import Index
from heldout.faces.web.views import RUNS, RUNS_SEVERAL, runs_view


def built(store: Store, packed: int = 4) -> Index:
    index = Index(store, packed)
    while index.advance():
        pass
    return index


def counted(index: Index) -> int:
    return index.ask("SELECT count(*) AS n FROM {readings}").column("n")[0].as_py()


def test_names_are_there_before_anything_is_read(tmp_path: Path) -> None:
    fill(Store(str(tmp_path)), 9)
    index = Index(Store(str(tmp_path)), 4)
    assert index.progress == (0, 11)
    view = runs_view(index, asked([], RUNS, RUNS_SEVERAL))
    assert (view["total"], view["indexing"]) == (11, (0, 11))
    assert index.advance()
    assert index.progress == (3, 11)
    newest = {row["run"] for row in index.ask("SELECT run FROM runs WHERE indexed").to_pylist()}
    assert newest == set(sorted(index.names)[-3:])


def test_packs_are_used_again_and_made_again(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    fill(store, 9)
    first = built(store)
    assert (first.progress, counted(first), len(first.packs)) == (None, 20, 2)
    second = Index(store, 4)
    assert second.progress == (8, 11)
    shutil.rmtree(tmp_path / "packs")
    assert counted(second) <= 4
    while second.advance():
        pass
    assert (second.progress, counted(second), counted(first)) == (None, 20, 20)
    names = {row["name"]: row["count"] for row in second.reading_names()}
    assert names == {"path-norm": 9, "train-loss": 1, "validation-loss": 1}


def test_half_a_pack_is_no_pack(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    fill(store, 8)
    built(store)
    for path in (tmp_path / "packs").glob("*.readings.parquet"):
        path.write_bytes(path.read_bytes()[:50])
    assert read_packs(store.files, f"{store.path}/packs") == []
    assert counted(built(store)) == 18


def test_two_servers_do_each_other_no_harm(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    fill(store, 9)
    one, two = Index(store, 4), Index(store, 4)
    while one.advance() | two.advance():
        pass
    assert counted(one) == counted(two) == 20
    assert len(list((tmp_path / "packs").iterdir())) == 4


def test_a_training_that_goes_on_is_followed_and_packed_when_it_ends(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    _, run = fill(store, 3)
    index = built(store)
    read = "SELECT step, value FROM {readings} WHERE name = 'train-loss'"
    assert index.ask(read).to_pylist() == [{"step": 30, "value": 1 / 31}]
    keep_step(store, run, 40, rows(40))
    index.advance()
    assert index.ask(read).to_pylist() == [{"step": 40, "value": 1 / 41}]
    assert [pack.names for pack in index.packs] == [
        {"path-norm": 3}
    ]  # audits and judgement; what goes on is in no pack
    finish_trajectory(store, run, {"reason": "steps"}, b"")
    index.refresh()
    index.advance()
    index.advance()
    assert index.ask("SELECT finished, headline FROM runs WHERE kind = 'training'").to_pylist() == [
        {"finished": True, "headline": "steps"}
    ]


def test_who_asks_while_a_training_is_read_again_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path))
    _, run = fill(store, 3)
    index, seen = built(store), []
    count = f"SELECT count(*) AS n FROM {{readings}} WHERE run = '{run}'"
    for name in ("put_runs", "put_readings"):
        put = getattr(index.tables, name)

        def asking(*given: Any, put: Any = put, **named: Any) -> None:
            seen.append(index.ask(count).column("n")[0].as_py())
            put(*given, **named)
            seen.append(index.ask(count).column("n")[0].as_py())

        monkeypatch.setattr(index.tables, name, asking)
    keep_step(store, run, 40, rows(40))
    index.advance()
    assert seen == [2, 2, 2, 2]


def test_a_run_that_is_removed_is_gone(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    audits, _ = fill(store, 5)
    index = built(store)
    (tmp_path / "runs" / f"{audits[0]}.json").unlink()
    index.refresh()
    view = runs_view(index, asked([], RUNS, RUNS_SEVERAL))
    assert view["total"] == 6
    again = store.write_audit(record("later"))
    index.refresh()
    index.advance()
    assert again in {row["run"] for row in index.ask("SELECT run FROM runs WHERE indexed").to_pylist()}
