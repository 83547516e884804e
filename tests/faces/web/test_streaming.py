"""Streams: every segment once and in order, whoever reconnects and whatever is broken."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from tests.faces.web.conftest import World, fill, rows

import heldout.faces.web.tailing as tailing
from heldout.engine.store import Store
from heldout.engine.store.trajectories import finish_trajectory, keep_step
from heldout.faces.web.index import Index
from heldout.faces.web.streaming import Streams


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "PAUSE", 0.01)


def seen(portion: bytes) -> list[str]:
    return re.findall(r"^id: (.*)$", portion.decode(), re.MULTILINE)


async def gathered(streams: Streams, run: str, after: str, until: str) -> list[str]:
    """What a viewer sees until an event of this name."""
    found: list[str] = []
    async for portion in streams.training(run, after):
        found += seen(portion)
        if until in found:
            break
    return found


def test_all_viewers_see_all_segments_and_go_on_where_they_were(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    _, run = fill(store, 1)
    names = [f"{step:012d}" for step in range(10, 130, 10)]

    async def play() -> list[list[str]]:
        streams = Streams(Index(store))
        viewers = [asyncio.create_task(gathered(streams, run, "", "final")) for _ in range(5)]
        early = await gathered(streams, run, "", names[2])
        for step in range(40, 130, 10):
            await asyncio.to_thread(keep_step, store, run, step, rows(step))
        late = await gathered(streams, run, early[-1], names[-1])
        assert early + late == names
        assert len(streams.tails._tails) == 1
        finish_trajectory(store, run, {"steps": 120}, b"")
        return [await viewer for viewer in viewers]

    for viewer in asyncio.run(asyncio.wait_for(play(), 30)):
        assert viewer == [*names, "final"]


def test_a_segment_under_way_is_waited_for_and_a_broken_one_is_said(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    _, run = fill(store, 1)
    place = tmp_path / "trajectories" / run / f"{40:012d}.parquet"
    keep_step(store, run, 40, rows(40))
    whole = place.read_bytes()
    place.write_bytes(whole[:100])
    keep_step(store, run, 50, rows(50))

    async def play(mend: bool) -> bytes:
        streams, content = Streams(Index(store)), b""
        async for portion in streams.training(run, f"{30:012d}"):
            content += portion
            if mend and content == b"retry: 1000\n\n":
                asyncio.get_running_loop().call_later(0.015, place.write_bytes, whole)
            if b"id: 000000000050" in content:
                break
        return content

    broken = asyncio.run(asyncio.wait_for(play(mend=False), 30))
    assert b"event: fault\nid: 000000000040" in broken
    assert seen(broken) == [f"{40:012d}", f"{50:012d}"]
    assert seen(asyncio.run(asyncio.wait_for(play(mend=True), 30))) == [f"{40:012d}", f"{50:012d}"]


def test_memory_of_events_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "READY", 600)
    store = Store(str(tmp_path))
    _, run = fill(store, 1)

    async def play() -> int:
        tail = tailing.Tail(store, run)
        tail._look()
        content = await tail.events(tail.names)
        assert seen(content) == [f"{step:012d}" for step in (10, 20, 30)]
        return tail._size

    assert asyncio.run(play()) < 1200


def test_a_slow_viewer_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.faces.web.streaming.SLOW", 0.05)
    store = Store(str(tmp_path))
    _, run = fill(store, 1)

    async def play() -> bytes:
        content = b""
        async for portion in Streams(Index(store)).training(run, ""):
            content += portion
            await asyncio.sleep(0.1)
        return content

    content = asyncio.run(asyncio.wait_for(play(), 30))
    assert content.rstrip().splitlines()[-2] == b"event: behind"
    assert seen(content) == [f"{step:012d}" for step in (10, 20, 30)]


def test_over_the_wire_a_finished_training_ends_and_is_not_asked_again(world: World) -> None:
    finish_trajectory(world.store, world.training, {"reason": "done"}, b"")
    place = f"/events/{world.training}"
    with world.client.stream("GET", place, headers={"last-event-id": f"{20:012d}"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        content = answer.read()
    assert seen(content) == [f"{30:012d}", "final"]
    data = re.search(rb"event: segment\nid: 000000000030\ndata: (.*)\n", content)
    assert data is not None
    assert json.loads(data[1])[0]["value"] == 1 / 31
    assert world.client.get(f"{place}?after=final").status_code == 204
    assert world.client.get("/events/nothing").status_code == 404
