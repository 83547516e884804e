"""Sweeps on Ray, where Ray is installed: the same rows, and a worker that dies costs nothing."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.engine.sweeping.test_sweep import contents
from tests.engine.sweeping.work import run

ray = pytest.importorskip("ray", reason="Ray is an extra")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> object:
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_ray_gives_the_same_store_even_when_a_worker_is_killed(tmp_path: Path) -> None:
    run(str(tmp_path / "local"))
    killed: list[int] = []

    def kill() -> None:
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            for mark in (tmp_path / "ray").glob("buckets/*/.lease"):
                try:
                    process = int(__import__("json").loads(mark.read_text())["process"])
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                    return
                except (OSError, ValueError, KeyError):
                    continue
            time.sleep(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    run(str(tmp_path / "ray"), executor="ray")
    killer.join()
    assert killed
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
