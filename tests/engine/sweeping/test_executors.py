"""What Ray says, said in a sentence; Ray itself is played."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.engine.sweeping.work import run

from heldout.records import Refusal


class RayTaskError(Exception):
    def __init__(self, cause: Exception) -> None:
        super().__init__("a page of text")
        self.cause = cause


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    played: Any = ModuleType("ray")
    played.is_initialized = lambda: False
    played.init = played.shutdown = lambda **_: None
    played.put = lambda value: value
    played.remote = lambda **_: lambda _: SimpleNamespace(remote=lambda *_: object())
    played.wait = lambda waiting, num_returns: (waiting[:num_returns], waiting[num_returns:])
    played.exceptions = SimpleNamespace(RayTaskError=RayTaskError)
    monkeypatch.setitem(sys.modules, "ray", played)
    return played


def test_somebody_who_listens_and_is_no_ray(tmp_path: Path, ray: Any) -> None:
    def init(**_: object) -> None:
        raise ConnectionError("ray client connection timeout\nand more")

    ray.init = init
    with pytest.raises(Refusal, match=r"executor was 'ray' \(ray client connection timeout\)"):
        run(str(tmp_path), executor="ray")


def test_what_a_worker_refused_is_refused_in_its_words(tmp_path: Path, ray: Any) -> None:
    def get(_: object) -> None:
        raise RayTaskError(cause)

    cause: Exception = Refusal(given="memory was 10", expected="more", do="pass more")
    ray.get = get
    with pytest.raises(Refusal, match="memory was 10; expected more"):
        run(str(tmp_path), executor="ray")
    cause = KeyError("a fault of ours")
    with pytest.raises(RayTaskError):
        run(str(tmp_path), executor="ray")
