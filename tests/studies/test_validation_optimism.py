"""Validation optimism: the choice against a count by hand, the statistics on a hand-made table, the smoke run."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.population import stream
from heldout.studies import validation_optimism as study


def test_the_choice_is_the_best_on_the_drawn_examples() -> None:
    right = (torch.rand(6, 40, generator=stream(0, "right")) < 0.7).double()
    read = study.chosen(right, (1, 2, 6), 9, 300, stream(3, "draws"))
    assert [row["candidates"] for row in read] == [1, 2, 6]
    draw = stream(3, "draws")
    keys, order = torch.rand(300, 40, generator=draw), torch.rand(300, 6, generator=draw).argsort(1).tolist()
    truth = right.mean(1).tolist()
    for row in read:
        optimism, third, regret = [], [], []
        for repetition in range(300):
            ranked = sorted(range(40), key=lambda example: -float(keys[repetition, example]))
            compared = order[repetition][: int(row["candidates"])]
            validated = [right[c, ranked[:9]].mean().item() for c in compared]
            best = next(i for i, v in enumerate(validated) if v > max(validated) - 1e-9)
            winner = compared[best]
            optimism.append(validated[best] - truth[winner])
            third.append(right[winner, ranked[9:18]].mean().item() - truth[winner])
            regret.append(max(truth[c] for c in compared) - truth[winner])
        assert row["optimism"] == pytest.approx(np.mean(optimism), abs=0.01)  # ties may be broken otherwise
        assert row["regret"] == pytest.approx(np.mean(regret), abs=0.01)
        assert row["third"] == pytest.approx(np.mean(third), abs=0.02)
    largest = max(t * (1 - t) / 9 * 31 / 39 for t in truth) ** 0.5
    assert read[0]["standard_error"] == pytest.approx(largest)


def test_equally_good_independent_candidates_come_near_the_bound() -> None:
    """1,000 fair coins: the largest of 1,000 means of 400 is about 3.24 sd, and sqrt(2 ln 1000) is 3.72."""
    right = (torch.rand(1000, 20000, generator=stream(1, "coins")) < 0.5).double()
    row = study.chosen(right, (1000,), 400, 20, stream(4, "draws"))[0]
    ratio = row["optimism"] / (row["standard_error"] * np.sqrt(2 * np.log(1000)))
    assert 0.75 < ratio < 1.0  # 0.87 is expected; the mean of 20 has a deviation of 0.02


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("validation-optimism")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert "facet" in record.figure().to_dict()


def test_every_setting_matters() -> None:
    settings: dict[str, Any] = {
        "validation": (20, 60),
        "candidates": (1, 5),
        "train_size": 60,
        "steps": 10,
        "members": 2,
        "seed": 0,
    }
    table = pd.DataFrame(study.validation_optimism(**settings))
    assert len(table) == 8
    for change in ({"train_size": 90}, {"steps": 20}, {"width": 5}, {"repetitions": 50}, {"seed": 1}):
        assert not pd.DataFrame(study.validation_optimism(**{**settings, **change})).equals(table), change
    own = (torch.randn(30, 4), torch.arange(30) % 2), (torch.randn(200, 4), torch.arange(200) % 2)
    mine = study.validation_optimism(**settings, data=own, network=lambda: torch.nn.Linear(4, 2))
    assert abs(mine["truth"][0] - 0.5) < 0.2


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"member": member, "validation": n, "candidates": m, "optimism": 0.5 * np.log(m) / n + 0.001, "third": -0.01 * m,
         "standard_error": 0.5 / n**0.5}
        for member in (0, 1) for n in (25, 100) for m in (1, 4)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.growth_on_validation(table) == pytest.approx([0.5 * np.log(4) / 25 / 0.1] * 2)
    assert study.growth_on_a_third_set(table) == pytest.approx([-0.3] * 2)
    high, low = 0.5 * np.log(4) / 25 + 0.001, 0.5 * np.log(4) / 100 + 0.001
    assert study.slope(table) == pytest.approx([np.log(low / high) / np.log(4)] * 2)
    assert study.over_the_bound(table) == pytest.approx([high / (0.1 * np.sqrt(2 * np.log(4)))] * 2)
    assert set(study.curves(table).panel) == {"  25 validation examples", " 100 validation examples"}
