"""The pages' server, measured: a store of 10,000 runs and 5 million readings, and 200 viewers of a run that is written.

``python benchmarks/serve.py store`` and ``python benchmarks/serve.py viewers``; both with ``--runs``, ``--viewers``, ``--seconds``.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow
import pyarrow.parquet

from heldout.engine.store import Store
from heldout.engine.store.tables import COLUMNS
from heldout.engine.store.trajectories import begin_trajectory, finish_trajectory, keep_step

TOKEN = "a-token-of-the-benchmark-0123456789"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
READINGS = 500


def make_store(folder: Path, runs: int) -> None:
    """Audits of ``READINGS`` readings each, as their own writer lays them out."""
    store = Store(str(folder))
    store.begin()
    for part in ("runs", "readings"):
        (folder / part).mkdir()
    random = np.random.default_rng(0)
    names = [f"measure-{place:03d}" for place in range(READINGS)]
    texts = {"family": "norms", "unit": "", "direction": "higher is worse", "status": "ok", "reason": ""}
    for number in range(runs):
        run = f"2026{1 + number // 2600 % 12:02d}{1 + number // 100 % 26:02d}T{number % 24:02d}{number % 60:02d}00Z-{number:012x}"
        subject = f"network-{number % 40}"
        values = random.lognormal(size=READINGS)
        lists = {"run": run, "subject": subject, **texts, "member": 0, "forward": 1.0, "backward": 0.0, "seconds": 0.1}
        columns = {name: [lists.get(name)] * READINGS for name in COLUMNS.names} | {"name": names, "value": values}
        pyarrow.parquet.write_table(pyarrow.table(columns, schema=COLUMNS), folder / "readings" / f"{run}.parquet")
        rows = [
            {"member": 0, "name": name, "value": value, "low": None, "high": None, "standard_error": None, **texts,
             "passes": {"forward": 1.0, "backward": 0.0}, "seconds": 0.1}
            for name, value in zip(names, values.tolist(), strict=True)
        ]  # fmt: skip
        record = {
            "heldout": "0",
            "schema": 1,
            "verdict": {"headline": f"Run {number} does well."},
            "subject": {"name": subject, "members": 1},
        }
        (folder / "runs" / f"{run}.json").write_text(json.dumps({**record, "readings": rows}))


class Server:
    """``heldout serve`` in a process of its own."""

    def __init__(self, store: Path, port: int = 0) -> None:
        self.token = store.parent / "token"
        self.token.write_text(TOKEN)
        words = [sys.executable, "-m", "heldout", "serve", str(store), "--token-file", str(self.token)]
        words = [
            sys.executable,
            "-c",
            "import sys; from heldout.faces.cli import main; sys.exit(main(sys.argv[1:]))",
            *words[3:],
        ]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*words, *(["--port", str(port)] if port else [])], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = line.split(" is at ")[1].partition("/?")[0]
        while True:
            try:
                self.get("/nothing")
                break
            except httpx.TransportError:
                time.sleep(0.01)
        self.start = time.perf_counter() - began
        self.port = int(self.url.rpartition(":")[2])

    def get(self, path: str) -> tuple[float, httpx.Response]:
        """Seconds and answer."""
        began = time.perf_counter()
        answer = httpx.get(self.url + path, headers=HEADERS, timeout=120, trust_env=False)
        return time.perf_counter() - began, answer

    def memory(self) -> int:
        """MiB that are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()


FILTERS = {
    "by name": "/?q=network-7",
    "by kind and day": "/?kind=audit&since=2026-02-10",
    "by one reading": "/?reading=measure-123&low=1&high=2&sort=-measure-123",
    "by two readings": "/?reading=measure-123&low=1&high=2&reading=measure-400&low=0.5&high=3",
    "page 100": "/?page=100",
    "table of readings": "/readings?name=measure-250&low=3&sort=-value",
    "table of all readings": "/readings",
    "words in all readings": "/readings?q=network-7",
}


def of_store(runs: int, keep: str) -> None:
    """First page and filters, cold and packed."""
    folder = Path(keep or tempfile.mkdtemp(prefix="heldout-serve-"))
    store = folder / "runs"
    if not store.exists():
        began = time.perf_counter()
        make_store(store, runs)
        print(f"store of {runs:,} runs and {runs * READINGS:,} readings made in {time.perf_counter() - began:.0f} s")
    shutil.rmtree(store / "packs", ignore_errors=True)
    for words in ("never indexed", "packed"):
        server = Server(store)
        first, page = server.get("/")
        assert page.status_code == 200
        print(f"{words}: answers after {server.start:.2f} s, first page {1000 * first:.0f} ms")
        began = time.perf_counter()
        while "indexing" in server.get("/runs.json?q=nothing-of-the-kind")[1].text or _indexing(server):
            time.sleep(0.5)
        print(f"  indexed after {time.perf_counter() - began:.1f} s more, {server.memory()} MiB")
        for name, path in FILTERS.items():
            times = [server.get(path) for _ in range(5)]
            assert all(answer.status_code == 200 for _, answer in times)
            print(
                f"  {name}: first {1000 * times[0][0]:.0f} ms, then {1000 * statistics.median(t for t, _ in times[1:]):.0f} ms"
            )
        server.kill()
    size = sum(path.stat().st_size for path in (store / "packs").iterdir()) / 2**20
    print(f"packs: {size:.0f} MiB")
    if not keep:
        shutil.rmtree(folder)


def _indexing(server: Server) -> bool:
    with httpx.stream("GET", server.url + "/events", headers=HEADERS, timeout=60, trust_env=False) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                return json.loads(line[6:])["indexing"] is not None
    return False


def write_run(store: Store, run: str, seconds: float, rate: int, written: list[str], done: threading.Event) -> None:
    """A run that writes ``rate`` readings a second, half a second to a segment."""
    step, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        rows = []
        for _ in range(rate // 2):
            step += 1
            rows.append({"step": step, "member": 0, "name": f"reading-{step % 10}", "family": "", "value": 1 / step, "low": None,
                         "high": None, "standard_error": None, "unit": "", "direction": "neither", "status": "ok", "reason": "",
                         "seconds": time.perf_counter() - began})  # fmt: skip
        keep_step(store, run, step, rows)
        written.append(f"{step:012d}")
        time.sleep(max(0.0, len(written) * 0.5 - (time.perf_counter() - began)))
    finish_trajectory(store, run, {"reason": "done"}, b"")
    done.set()


async def view(url: list[str], run: str, seen: list[str], rows: list[int]) -> None:
    """A viewer as a browser is one: it reconnects with the last event that it saw."""
    last = ""
    async with httpx.AsyncClient(headers=HEADERS, timeout=30, trust_env=False) as client:
        while last != "final":
            headers = {"last-event-id": last} if last else {}
            try:
                async with client.stream("GET", f"{url[0]}/events/{run}", headers=headers) as answer:
                    name = ""
                    async for line in answer.aiter_lines():
                        if line.startswith("id: "):
                            name = line[4:]
                        elif line.startswith("data: ") and name:
                            last = name
                            seen.append(name)
                            rows.append(0 if name == "final" else len(json.loads(line[6:])))
                            name = ""
                            if last == "final":
                                break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.5)


async def of_viewers(viewers: int, seconds: float, rate: int) -> None:
    """Nothing is lost, whatever happens to the server."""
    folder = Path(tempfile.mkdtemp(prefix="heldout-serve-"))
    store = Store(str(folder / "runs"))
    run = begin_trajectory(store, {"kind": "watch", "name": "watched", "network": "Linear", "heldout": "0"})
    written: list[str] = []
    done = threading.Event()
    server = Server(folder / "runs")
    url = [server.url]
    seen: list[list[str]] = [[] for _ in range(viewers)]
    rows: list[list[int]] = [[] for _ in range(viewers)]
    tasks = [asyncio.create_task(view(url, run, seen[place], rows[place])) for place in range(viewers)]
    threading.Thread(target=write_run, args=(store, run, seconds, rate, written, done)).start()
    times: list[float] = []
    began, killed = time.perf_counter(), False
    while not done.is_set():
        await asyncio.sleep(0.25)
        path = ["/", f"/trainings/{run}", "/readings"][len(times) % 3]
        took, answer = await asyncio.to_thread(server.get, path)
        assert answer.status_code == 200
        times.append(took)
        if not killed and time.perf_counter() - began > seconds / 2:
            peak = server.memory()
            server.kill()
            await asyncio.sleep(2)
            server = await asyncio.to_thread(Server, folder / "runs", server.port)
            killed = True
    await asyncio.wait_for(asyncio.gather(*tasks), 120)
    server.kill()
    expected = [*written, "final"]
    lost = sum(one != expected for one in seen)
    total = sum(map(sum, rows))
    print(f"{viewers} viewers, {rate} readings a second for {seconds:.0f} s, server killed and restarted once:")
    sent = viewers * (rate // 2) * len(written)
    print(f"  {len(written)} segments, {total:,} readings received of {sent:,}; viewers that missed one: {lost}")
    print(
        f"  pages meanwhile: median {1000 * statistics.median(times):.0f} ms, slowest {1000 * max(times):.0f} ms, of {len(times)}"
    )
    print(f"  the server held {peak} MiB")
    shutil.rmtree(folder)
    if lost:
        sys.exit(1)


def main(words: Any = None) -> None:
    """Choose and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("store", "viewers"), nargs="?", default="viewers")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--keep", default="", help="Make the store here and leave it.")
    asked = parser.parse_args(words)
    print(f"{os.cpu_count()} cores")
    if asked.what == "store":
        of_store(asked.runs, asked.keep)
    else:
        asyncio.run(of_viewers(asked.viewers, asked.seconds, asked.rate))


if __name__ == "__main__":
    main()
