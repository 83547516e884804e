"""A store with a result of every kind, and a browser's requests to its pages."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient
from tests.engine.store.test_store import record

from heldout.engine.store import Store, write_result
from heldout.engine.store.trajectories import begin_trajectory, keep_step
from heldout.faces.cli.catalog import catalog_rows, explanation
from heldout.faces.web.app import Catalog, Pages, pages
from heldout.faces.web.guarding import LOOPBACK, Place

TOKEN = "a-token-of-the-tests-0123456789"
PLACE = Place(LOOPBACK, 8471)
URL = "http://127.0.0.1:8471"


class World(NamedTuple):
    """A store, its pages, and who asks them."""

    store: Store
    made: Pages
    client: TestClient
    audits: list[str]
    training: str


def rows(step: int) -> list[dict[str, Any]]:
    about = {"step": step, "member": 0, "family": "", "low": None, "high": None, "standard_error": None, "unit": ""}
    ends = {"direction": "neither", "status": "ok", "reason": "", "seconds": float(step)}
    values = {"train-loss": 1 / (1 + step), "validation-loss": 1.5 / (1 + step)}
    return [{**about, **ends, "name": name, "value": value} for name, value in values.items()]


def fill(store: Store, audits: int = 6) -> tuple[list[str], str]:
    """Audits of path norms 0, 10, 20, ..., a training with three segments, a judgement."""
    names = [store.write_audit(record(f"net-{place}", (10.0 * place, 10.0 * place + 1))) for place in range(audits)]
    run = begin_trajectory(store, {"kind": "watch", "name": "first run", "network": "Linear", "validation": 50})
    for step in (10, 20, 30):
        keep_step(store, run, step, rows(step))
    write_result(store, "judgement", {"ledger": "atlas", "verdicts": [], "networks": 3})
    return names, run


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(str(tmp_path / "runs[1]"))
    audits, training = fill(store)
    made = pages(store, TOKEN, PLACE, Catalog(catalog_rows, explanation), pause=0.02)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(made.application, base_url=URL, headers=bearer, raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        wait(lambda: made.index.progress is None)
        yield World(store, made, client, audits, training)


def wait(true: Any, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
