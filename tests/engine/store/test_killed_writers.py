"""Writers killed with SIGKILL at random moments never leave a store that cannot be read."""

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from heldout.engine.store import Store

READINGS = 400
WRITER = f"""
import itertools, sys
from heldout.engine.store import Store
row = dict(member=0, name="n", family="f", value=1.0, low=None, high=None, standard_error=None, unit="", direction="d",
           status="ok", reason="", passes=dict(forward=1.0, backward=0.0), seconds=0.0)
store = Store(sys.argv[1])
print("ready", flush=True)
for turn in itertools.count():
    store.write_audit(dict(heldout="0", verdict={{}}, subject=dict(name=f"{{sys.argv[2]}} {{turn}}"),
                           readings=[dict(row, member=i, value=float(i)) for i in range({READINGS})]))
"""


def test_kill_9_at_random_moments_leaves_a_store_that_reads(tmp_path: Path) -> None:
    chance = random.Random(0)
    seen: set[str] = set()
    for turn in range(4):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), f"{turn}.{i}"], stdout=subprocess.PIPE)
            for i in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        patience = time.monotonic() + 120  # on a busy machine the first record takes its time
        while not seen < set(Store(str(tmp_path)).names()) and time.monotonic() < patience:
            time.sleep(0.02)
        for writer in writers:
            time.sleep(chance.uniform(0.05, 0.4))
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
            assert writer.returncode == -signal.SIGKILL
        store = Store(str(tmp_path))
        runs = store.names()
        assert seen < set(runs), "a run was lost, or nothing was written between two kills"
        seen = set(runs)
        for run in runs:  # the name carries the content's hash: nothing was cut short
            content = (tmp_path / "runs" / f"{run}.json").read_bytes()
            assert hashlib.sha256(content).hexdigest().startswith(run[-12:])
        counted = store.readings().aggregate("run, count(*) AS rows, sum(value) AS total").df()
        assert sorted(counted["run"]) == runs
        assert set(counted["rows"]) == {READINGS}
        assert set(counted["total"]) == {READINGS * (READINGS - 1) / 2}
