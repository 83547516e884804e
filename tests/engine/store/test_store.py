"""The store: what is written comes back, many write at once, and nothing leads out of it."""

import hashlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import heldout.engine.store.store as module
from heldout.engine.store import LAYOUT, Store
from heldout.records import Refusal


def record(name: str = "mlp", values: tuple[float | None, ...] = (1.5, None)) -> dict:
    rows = [
        {
            "member": member, "name": "path-norm", "family": "norms", "value": value, "low": None, "high": 2.0,
            "standard_error": None, "unit": "nats", "direction": "higher is worse",
            "status": "ok" if value is not None else "undefined", "reason": "" if value is not None else "ünd",
            "passes": {"forward": 2.0, "backward": 0.5}, "seconds": 0.25,
        }
        for member, value in enumerate(values)
    ]  # fmt: skip
    return {
        "heldout": "9.9", "schema": 1, "verdict": {"headline": f"{name} does well."},
        "subject": {"name": name, "members": len(values)}, "readings": rows,
    }  # fmt: skip


@pytest.fixture(params=["local", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "a" / "runs[1]") if request.param == "local" else f"memory://{uuid.uuid4().hex}"


def test_a_record_comes_back_as_it_was_written(url: str) -> None:
    run = Store(url).write_audit(record())
    assert Store(url).read_audit(run) == record()
    (summary,) = Store(url).runs()
    assert summary["run"] == run
    assert {key: summary[key] for key in ("subject", "members", "headline", "heldout")} == {
        "subject": "mlp", "members": 2, "headline": "mlp does well.", "heldout": "9.9",
    }  # fmt: skip
    assert summary["written"].endswith("+00:00")


def test_a_run_is_named_by_its_time_and_its_content(url: str) -> None:
    run = Store(url).write_audit(record())
    assert module.RUN.fullmatch(run)
    content = json.dumps(record(), ensure_ascii=False, separators=(",", ":")).encode()
    assert run.endswith(hashlib.sha256(content).hexdigest()[:12])
    again = Store(url).write_audit(record())
    assert again[-12:] == run[-12:]
    assert Store(url).write_audit(record("other"))[-12:] != run[-12:]


def test_readings_are_a_table_over_all_runs(url: str) -> None:
    store = Store(url)
    first, second = store.write_audit(record("one")), store.write_audit(record("two", (3.0,)))
    frame = store.readings().order("subject, member").df()
    assert frame["run"].tolist() == [first, first, second]
    assert frame["value"].isna().tolist() == [False, True, False]
    assert frame["value"].dropna().tolist() == [1.5, 3.0]
    assert frame["forward"].tolist() == [2.0] * 3
    assert frame["backward"].tolist() == [0.5] * 3
    assert frame["reason"].tolist() == ["", "ünd", ""]
    assert len(store.readings().filter("value > 2").df()) == 1


def test_an_empty_store_has_an_empty_table_of_the_same_columns(url: str) -> None:
    store = Store(url)
    empty = store.readings().df()
    assert len(empty) == 0
    store.write_audit(record())
    assert list(empty.columns) == list(store.readings().df().columns)


def test_looking_into_a_store_writes_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "nowhere"))
    store.check_writable()
    assert store.runs() == []
    assert not store.exists
    assert list(tmp_path.iterdir()) == []


def test_the_layout_is_written_once_and_a_later_one_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write_audit(record())
    place = tmp_path / "store.json"
    assert json.loads(place.read_text())["store"] == LAYOUT
    place.write_text(json.dumps({"store": LAYOUT, "heldout": "someone else's"}))
    store.write_audit(record("two"))
    assert "someone else's" in place.read_text()
    place.write_text(json.dumps({"store": LAYOUT + 1}))
    with pytest.raises(Refusal, match=rf"layout {LAYOUT + 1}; expected at most {LAYOUT}: upgrade"):
        Store(str(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"store": "x"}'])
def test_a_folder_with_a_strange_store_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "store.json").write_text(content)
    with pytest.raises(Refusal, match=r"a store\.json that heldout did not write"):
        Store(str(tmp_path))


def test_an_unknown_run_is_answered_with_the_nearest(url: str) -> None:
    store = Store(url)
    with pytest.raises(Refusal, match="has none"):
        store.read_audit("20260101T000000Z-000000000000")
    run = store.write_audit(record())
    with pytest.raises(Refusal, match=run):
        store.read_audit("20260101T000000Z-000000000000")


def test_a_beginning_or_an_end_that_only_one_run_has_is_enough(url: str) -> None:
    store = Store(url)
    one, two = store.write_audit(record("one")), store.write_audit(record("two"))
    assert store.find(one[-6:]) == one
    assert store.find(two) == two
    with pytest.raises(Refusal, match="2 runs are called so"):
        store.find("2")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "", ".", "*", "runs/../../secret"])
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.json").write_text("{}")
    store = Store(str(tmp_path / "store"))
    store.write_audit(record())
    with pytest.raises(Refusal, match="run was"):
        store.read_audit(name)


def test_what_killed_writers_left_is_ignored(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    run = store.write_audit(record())
    for folder, ending in (("runs", "json"), ("readings", "parquet")):
        (tmp_path / folder / f".{run}.{ending}.{uuid.uuid4().hex}").write_bytes(b"half")
        (tmp_path / folder / f".{run}.{ending}").write_bytes(b"half")
    (tmp_path / "runs" / "notes.json").write_text("mine")
    assert store.names() == [run]
    assert len(store.readings().df()) == 2


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_writer_that_stops_between_segments_leaves_a_readable_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    whole, calls = module.publish, iter(range(9))

    def dying(*arguments: object) -> None:
        if next(calls) >= survived:
            raise KeyboardInterrupt
        whole(*arguments)

    monkeypatch.setattr(module, "publish", dying)
    with pytest.raises(KeyboardInterrupt):
        Store(str(tmp_path)).write_audit(record())
    monkeypatch.undo()
    store = Store(str(tmp_path))
    assert store.runs() == []
    assert len(store.readings().df()) == 0
    store.write_audit(record())
    assert len(store.readings().df()) == 2


def test_many_writers_need_no_locks(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda i: Store(str(tmp_path)).write_audit(record(f"net {i}")), range(24)))
    store = Store(str(tmp_path))
    assert store.names() == sorted(runs)
    assert len(store.readings().df()) == 48
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_store_where_a_file_stands_is_refused_before_anything_is_computed(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Refusal, match="expected a folder that can be written to"):
        Store(str(tmp_path / place)).check_writable()
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(Refusal, match="store was 'carrier-pigeon://coop'"):
        Store("carrier-pigeon://coop")


def test_a_record_with_nan_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Store(str(tmp_path)).write_audit({**record(), "seconds": float("nan")})
    assert list(tmp_path.iterdir()) == []
