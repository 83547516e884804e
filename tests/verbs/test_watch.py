"""A watched training: the same bits with and without, faults that stop nothing, a record that is whole."""

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.store import Store
from heldout.engine.store.trajectories import read_trajectory, trajectory_runs
from heldout.engine.subject import Subject
from heldout.engine.watching.groups import Found, Group
from heldout.records import Refusal

EVERYTHING = float("inf")
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(80, 1, 6, 6, generator=GENERATOR)
Y = (X[:, 0, 0, 0] > 0).long()


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 2))


def run(watch: heldout.Watch, network: nn.Module, steps: int, *, lr: float = 0.1) -> None:
    """Plain training on everything."""
    for _ in range(steps):
        loss = nn.functional.cross_entropy(network(X), Y)
        network.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter -= lr * parameter.grad  # type: ignore[operator]
        watch.step(loss)


def test_readings_are_those_of_a_subject(network: nn.Module) -> None:
    with heldout.Watch(
        network, (X, Y), (X[:30], 1 - Y[:30]), budget=EVERYTHING, record=("errors", "path-norm")
    ) as watch:
        run(watch, network, 4)
    subject = Subject(network, (X, Y))
    errors = (subject.population(X)[0].argmax(-1) != Y).double()
    table = watch.table[watch.table.step == 4].set_index("name")
    assert table.value["train-loss"] == pytest.approx(nn.functional.cross_entropy(network(X), Y).item(), rel=1e-5)
    assert table.value["train-error"] == errors.mean().item()
    assert table.value["validation-error"] == 1 - errors[:30].mean().item()
    assert table.value["gap"] == pytest.approx(1 - errors[:30].mean().item() - errors.mean().item())
    assert table.value["path-norm"] == pytest.approx(
        heldout.audit(subject, only=["path-norm"], progress=False)["path-norm"].value[0]
    )
    assert set(table.member) == {0}
    assert watch.validation is not None
    assert watch.validation.shape == (5, 30)
    assert watch.validation.mean(1).tolist() == pytest.approx(
        watch.table[watch.table.name == "validation-error"].value.tolist()
    )


def test_every_group_reads_at_steps_of_its_own(network: nn.Module, tmp_path: Path) -> None:
    watch = heldout.Watch(
        network, (X, Y), (X, Y), budget=EVERYTHING, store=str(tmp_path), name="all", steps=20, examples=40
    )
    with watch:
        run(watch, network, 20)
    table = watch.table
    steps = {name: rows.step.tolist() for name, rows in table.groupby("name")}
    assert steps["train-loss"][:4] == [0, 1, 2, 3]
    assert steps["gradient-noise"][:3] == [1, 3, 5]
    assert steps["learning-coefficient"] == [1]  # and at the sixteenth point after it, which is past the end
    assert steps["loss"] == list(range(1, 21))
    assert set(table.status) <= {"ok", "not-applicable", "undefined", "not-converged"}
    assert table[table.status != "ok"].reason.str.len().min() > 0
    kept = read_trajectory(Store(str(tmp_path)), watch.run)
    assert kept.columns.tolist() == table.columns.tolist()
    assert kept.fillna(-1).to_dict("records") == table.fillna(-1).to_dict("records")
    about = trajectory_runs(Store(str(tmp_path)))[0]
    assert (about["kind"], about["name"], about["train"], about["steps"], about["finished"]) == (
        "watch",
        "all",
        80,
        20,
        True,
    )
    page = Path(watch.report(str(tmp_path / "run.html"))).read_text()
    assert "The training of all" in page
    assert "random-label-probe" in page
    assert "all at step 20: loss" in str(watch)


def test_a_group_that_fails_is_said_once_and_switched_off(network: nn.Module) -> None:
    watch = heldout.Watch(network, (X, Y), every=1, budget=EVERYTHING, record=("errors",))

    def broken(_probe: Any) -> Found:
        raise RuntimeError("no luck")

    running = watch._running
    running.looking.groups = {"errors": Group("errors", ("train-loss",), broken, 1.0, 1, 1.0)}
    with pytest.warns(
        UserWarning, match="'errors' failed and is switched off; training goes on .RuntimeError: no luck"
    ):
        watch.begin()
    run(watch, network, 3)  # no second warning: warnings are errors here
    watch.finish()
    assert watch.table[watch.table.name == "train-loss"].status.tolist() == ["failed"]
    assert watch.table[watch.table.name == "loss"].step.tolist() == [1, 2, 3]


def test_a_watch_that_fails_altogether_lets_training_go_on(
    network: nn.Module, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = heldout.Watch(network, (X, Y), every=1, budget=EVERYTHING, record=("errors",))
    watch.begin()
    network.register_parameter("late", nn.Parameter(torch.zeros(1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(watch, nn.Sequential(*list(network)[:4]), 3)
    assert "no longer those it had" in capsys.readouterr().err
    assert len(watch.faults) == 1


def test_a_network_that_diverged_has_no_numbers(network: nn.Module) -> None:
    with heldout.Watch(network, (X, Y), every=1, budget=EVERYTHING, record=("errors",)) as watch:
        with torch.no_grad():
            network[1].weight.fill_(torch.nan)
        watch.step(torch.tensor(torch.nan))
    last = watch.table[watch.table.step == 1]
    assert set(last.status) == {"not-finite"}
    assert last.value.isna().all()


def test_the_budget_holds_and_is_measured(network: nn.Module) -> None:
    watch = heldout.Watch(network, (X, Y), every=1, budget=0.1, grace=0.0, record=("errors", "gradients"))
    with watch:
        begun = time.perf_counter()
        while time.perf_counter() - begun < 1.0:
            run(watch, network, 1)
    cost = watch.overhead
    # one reading may cost more than the last ones let expect; the next ones wait for it
    assert 0.02 < cost["share"] < 0.1 + 0.05
    assert cost["training"] + cost["spent"] == pytest.approx(time.perf_counter() - begun - cost["closing"], abs=0.1)


def test_a_killed_run_is_continued_by_one_of_its_name(network: nn.Module, tmp_path: Path) -> None:
    def watch() -> heldout.Watch:
        return heldout.Watch(
            network, (X, Y), every=1, budget=EVERYTHING, record=("errors",), store=str(tmp_path), name="mine"
        )

    first = watch()
    first.begin()
    run(first, network, 6)
    keeper = first._running.keeper
    assert keeper is not None
    while len(read_trajectory(Store(str(tmp_path)), first.run)) < len(first.table):
        time.sleep(0.01)  # within half a second everything is there, without an end
    second = watch()
    second.begin(4)
    run(second, network, 2)
    second.finish()
    about = trajectory_runs(Store(str(tmp_path)))
    assert {row["run"]: row["continues"] for row in about} == {first.run: None, second.run: first.run}
    own = second.table[second.table.name == "loss"]
    assert own.step.tolist() == [1, 2, 3, 4, 5, 6]
    assert second.table.step.is_monotonic_increasing
    third = watch()
    third.begin()
    assert third._plan["continues"] is None  # the second had ended
    third.finish()
    keeper.finish({})


def test_stopping_is_asked_with_the_validation_errors(network: nn.Module) -> None:
    asked: list[int] = []

    class Third:
        def update(self, step: int, losses: np.ndarray) -> bool:
            asked.append(step)
            assert losses.shape == (80,)
            return len(asked) >= 3

    with heldout.Watch(
        network, (X, Y), (X, Y), every=1, budget=EVERYTHING, record=("errors",), stopping=Third()
    ) as watch:
        stops = []
        for _ in range(4):
            run(watch, network, 1)
            stops.append(watch.should_stop)
    assert stops == [False, True, True, True]
    assert asked == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"budget": 0}, "budget was 0"), ({"every": "never"}, "every was 'never'"), ({"grace": -1}, "grace was -1"),
        ({"examples": 1}, "examples was 1"), ({"steps": 0}, "steps was 0"), ({"record": "errors"}, "record was 'errors'"),
        ({"record": ["x"]}, "record held 'x'"), ({"seed": -1}, "seed was -1"), ({"train": None}, "train was left out"),
        ({"train": (X, Y[:3])}, "80 examples and y has 3"), ({"loss": "cross"}, "loss was 'cross'"),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_refused_before_training(
    network: nn.Module, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        heldout.Watch(network, **{"train": (X, Y), **settings})


def test_a_subject_brings_its_data(network: nn.Module) -> None:
    subject = heldout.Subject(network, (X, Y), (X[:20], Y[:20]))
    with heldout.Watch(subject, budget=EVERYTHING, record=("errors",)) as watch:
        run(watch, network, 1)
    losses = watch.table[watch.table.name == "train-loss"].value.tolist()
    assert losses[1] < losses[0]  # the subject shares its weights with the network that trains
    with pytest.raises(Refusal, match="has 2 networks"):
        heldout.Watch(heldout.Subject([network, network], (X, Y)))
