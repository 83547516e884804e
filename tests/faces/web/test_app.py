"""Every address answers, and hostile ones are refused or shown safely."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tests.engine.store.test_store import record
from tests.faces.web.conftest import World, wait

import heldout.engine.store.packs as packs
from heldout.engine.store import Store
from heldout.engine.store.trajectories import begin_trajectory, keep_step
from heldout.faces.web.addresses import page_address
from heldout.faces.web.index import Index

MARKUP = "<script>alert('x')</script>\"'&</style>"


def test_the_runs_page_filters_and_sorts(world: World) -> None:
    page = world.client.get("/?reading=path-norm&low=20&high=40.5&sort=-path-norm").text
    places = [page.find(run) for run in world.audits]
    assert places[0] == places[1] == places[5] == -1
    assert 0 < places[4] < places[3] < places[2]
    page = world.client.get("/?kind=training").text
    assert world.training in page
    assert world.audits[0] not in page
    page = world.client.get("/?q=NET-3").text
    assert world.audits[3] in page
    assert world.audits[2] not in page


def test_every_kind_has_its_page_and_its_data(world: World) -> None:
    run, audit = world.training, world.audits[2]
    assert "first run" in world.client.get(f"/trainings/{run}").text
    table = world.client.get(f"/trainings/{run}.parquet")
    assert pyarrow.parquet.read_table(io.BytesIO(table.content)).num_rows == 6
    lines = world.client.get(f"/audits/{audit}.csv").text.splitlines()
    assert lines[0].startswith('"member","name"')
    assert len(lines) == 3
    assert world.client.get(f"/audits/{audit}.json").json() == record("net-2", (20.0, 21.0))
    assert f'filename="{audit}.json"' in world.client.get(f"/audits/{audit}.json").headers["content-disposition"]
    assert len(world.client.get("/runs.csv?kind=audit").text.splitlines()) == 7
    assert len(world.client.get("/readings.json?name=path-norm&low=30").json()) == 6
    assert len(world.client.get("/readings.json?q=NET-3").json()) == 2
    assert len(world.client.get("/readings.json?q=val-loss+first").json()) == 0
    assert len(world.client.get("/readings.json?q=idation-loss+first").json()) == 1
    assert world.client.get(f"/compare.csv?runs={world.audits[0]},{world.audits[1]}").text.count("path-norm") == 2
    assert world.client.get("/catalog/path-norm").status_code == 200
    assert "path-norm" in world.client.get("/catalog.csv").text
    assert world.client.get("/catalog/path-nrm").status_code == 404


def test_figures_come_as_pictures_and_as_specifications(world: World) -> None:
    place = f"/figures/trainings/{world.training}/losses"
    assert world.client.get(f"{place}.svg").content.startswith(b"<svg")
    assert world.client.get(f"{place}.png").content.startswith(b"\x89PNG")
    assert (
        "datasets" in world.client.get(f"{place}.vl.json").json()
        or "data" in world.client.get(f"{place}.vl.json").json()
    )
    assert world.client.get(f"{place}.exe").status_code == 404
    assert world.client.get(f"/figures/trainings/{world.training}/none.svg").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/audits/..%2f..%2fetc%2fpasswd", "/audits/../store.json", "/trainings/%2e%2e", "/audits/%00", "/assets/x/..%2fapp.py",
        "/audits/store.json", "/figures/audits/..%2f/x.svg", "/events/..%2f..%2f", "/catalog/%3Cb%3E", "/audits/%E2%80%AE",
        "/packs/x", "/runs.exe", "/audits/" + "9" * 5000,
    ],
)  # fmt: skip
def test_no_path_leaves_the_store(world: World, path: str) -> None:
    answer = world.client.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "query", ["sort=value;drop", "low=x&reading=a", "page=0", "page=x", "since=yesterday", "page=99999999999"]
)
def test_a_query_that_is_none_is_one_sentence(world: World, query: str) -> None:
    answer = world.client.get(f"/?{query}")
    assert answer.status_code == 400
    assert "expected" in answer.text


def test_a_query_is_text_and_never_sql(world: World) -> None:
    for query in ("q=' OR 1=1 --", "kind=';DROP TABLE runs;", f"reading={MARKUP}&low=0&high=1", "q=%25_"):
        answer = world.client.get(f"/?{query}")
        assert answer.status_code == 200
        assert world.audits[0] not in answer.text
        assert "<script>alert" not in answer.text
    assert world.audits[0] in world.client.get("/").text


def test_names_of_runs_are_escaped_everywhere(world: World) -> None:
    audit = world.store.write_audit(record(MARKUP))
    run = begin_trajectory(world.store, {"kind": "watch", "name": MARKUP, "network": MARKUP})
    keep_step(world.store, run, 1, [{"step": 1, "member": 0, "name": MARKUP, "value": 1.0, "low": None, "high": None,
                                     "standard_error": None, "status": "ok", "reason": MARKUP}])  # fmt: skip
    wait(lambda: {audit, run} <= world.made.index.names.keys() and world.made.index.progress is None)
    paths = ["/", "/readings", f"/trainings/{run}", f"/compare?runs={audit},{world.audits[0]}"]
    for path in paths:
        answer = world.client.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text, path


def test_an_unknown_run_names_the_nearest(world: World) -> None:
    audit = world.audits[1]
    answer = world.client.get(f"/audits/{audit[:-1]}")
    assert answer.status_code == 404
    assert page_address("audit", audit) in answer.text
    other = world.client.get(f"/studies/{audit}")
    assert other.status_code == 404
    assert page_address("audit", audit) in other.text


def test_what_is_broken_is_said_and_the_rest_is_shown(world: World) -> None:
    folder = Path(world.store.path)
    (folder / "runs" / f"{world.audits[0]}.json").write_text('{"heldout": "9')
    (folder / "trajectories" / world.training / f"{20:012d}.parquet").write_bytes(b"PAR1 half")
    answer = world.client.get(f"/audits/{world.audits[0]}")
    assert answer.status_code == 400
    assert "no whole JSON object" in answer.text
    page = world.client.get(f"/trainings/{world.training}")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    again = Index(world.store)
    while again.advance():
        pass
    notes = again.ask("SELECT run, note FROM runs WHERE note <> ''").to_pylist()
    assert {row["run"] for row in notes} == {world.audits[0], world.training}


@pytest.mark.parametrize("nowhere", [False, True])
def test_a_full_disk_costs_nothing_but_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere: bool) -> None:
    store = Store(str(tmp_path / "runs"))
    for place in range(5):
        store.write_audit(record(f"net-{place}", (float(place),)))
    inner = packs.publish

    def full(files: Any, path: str, content: bytes) -> None:
        if nowhere or str(tmp_path) in path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        inner(files, path, content)

    monkeypatch.setattr(packs, "publish", full)
    index = Index(store, packed=2)
    while index.advance():
        pass
    assert index.progress is None
    assert len(index.packs) == (0 if nowhere else 2)
    assert index.ask("SELECT count(*) AS n FROM {readings}").to_pylist() == [{"n": 5}]
    assert not list(tmp_path.rglob("packs/*"))
