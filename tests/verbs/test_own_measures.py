"""A stranger's measure: ten lines in a file outside the package, decorated or bare; what goes wrong becomes its status."""

import sys
from pathlib import Path

import pandas
import pytest
import torch
from tests.verbs.test_population_ledger import QUICK, made

import heldout
from heldout.records import Direction, Refusal
from heldout.verbs.own_measures import own_measures

TEXT = '''
"""Ten lines of a stranger."""
import heldout
from heldout.records import Direction

def confidence(logits):
    return logits.softmax(-1).amax(-1).mean()

@heldout.measure(source="mine", direction=Direction.HIGHER_IS_WORSE)
def path_norm(logits):
    """Called as one of the catalog's."""
    return logits.square().mean()

def broken(logits):
    raise RuntimeError("no luck")

def asks(logitz):
    return logitz

number = 3
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"stranger_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def test_bare_and_decorated(module: str) -> None:
    bare, decorated = own_measures([f"{module}:confidence", f"{module}:path_norm"])
    assert bare.name == "confidence"
    assert bare.direction is Direction.NEITHER
    assert bare.function(logits=torch.tensor([[0.0, 0.0]])).item() == 0.5
    assert decorated.name == f"{module}:path-norm"
    assert decorated.direction is Direction.HIGHER_IS_WORSE


def test_one_call_judges_it_and_its_fault_is_its_status(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heldout.verbs.judging_sources.chosen", lambda *_, **__: (QUICK, {}))
    sweep = made(tmp_path / "runs")
    found = heldout.judge(
        sweep, criteria=["kendall"], measures=[f"{module}:confidence", f"{module}:broken", f"{module}:path_norm"]
    )
    directions = {verdict.measure: verdict.direction for verdict in found.verdicts}
    assert directions["confidence"] == "neither"
    assert directions[f"{module}:path-norm"] == "higher is worse"
    assert found.absent["broken"] == "RuntimeError: no luck"
    bare = heldout.judge(sweep, criteria=["kendall"], measures=[lambda_named])
    assert "lambda-named" in {verdict.measure for verdict in bare.verdicts}


def lambda_named(logits: torch.Tensor) -> torch.Tensor:
    return logits.mean()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("asks", "asks for 'logitz'.*logits"),
        ("number", "a int"),
        ("nobody", "'nobody', which"),
        ("", "expected package.module"),
    ],
)
def test_what_is_no_measure_is_refused(module: str, spec: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        own_measures([f"{module}:{spec}"])


def test_other_refusals(module: str) -> None:
    with pytest.raises(Refusal, match="two measures were called"):
        own_measures([f"{module}:confidence"] * 2)
    with pytest.raises(Refusal, match="a list of functions"):
        own_measures("m:f")
    with pytest.raises(Refusal, match="declared as a criterion"):
        own_measures(["heldout.criteria.kendall:kendall"])
    with pytest.raises(Refusal, match="no parameter without a default"):
        own_measures([dict_of])
    with pytest.raises(Refusal, match="which holds no networks"):
        heldout.judge(pandas.DataFrame({"hp.a": [1, 2]}), measures=[lambda_named])
    with pytest.raises(Refusal, match="was given a int"):
        heldout.judge(3)  # type: ignore[arg-type]


def dict_of(*, scale: float = 1.0) -> float:
    return scale
