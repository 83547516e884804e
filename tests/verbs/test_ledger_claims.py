"""Claims on ledgers where they hold by construction, where they do not, and where they cannot be asked."""

from dataclasses import replace

import numpy as np
import pandas
import pytest
from tests.criteria.ledgers import grid

from heldout.engine.judging.ledger import Ledger, as_ledger
from heldout.verbs.ledger_claims import CLAIMS, claims_of
from heldout.verbs.ledger_statistics import published

AXES = {"width": [16, 32, 64], "depth": [1, 2], "rate": [0.01, 0.1], "size": [100, 400]}


def ledger(sign: float) -> Ledger:
    """A world in which every published claim holds (sign 1), or in which every one is turned round (-1)."""
    design, draws = grid((3, 2, 2, 2), 3), np.random.default_rng(0)
    width, depth, rate, size = design.codes.T.astype(float)
    gap = 0.3 - sign * (0.02 * width + 0.03 * depth) - sign * 0.03 * rate - 0.05 * size
    gap += 0.002 * draws.normal(size=design.networks)
    table = {f"hp.{name}": np.array(AXES[name])[codes] for name, codes in zip(AXES, design.codes.T, strict=True)}
    norms = {name: np.exp(0.05 * size + 0.01 * draws.normal(size=len(gap))) for name in published("norms")}
    if sign < 0:
        norms = {name: values * np.exp(3 * size) for name, values in norms.items()}
    measures = norms | {
        "params": 100.0 * 2**width * (1 + depth),
        "prod-of-spec": np.exp(depth + 0.1 * size),
        "pacbayes-orig": np.exp(-rate + 0.1 * size),
        "pacbayes-flatness": np.exp(-rate),
        "path-norm": np.exp(-width + 0.1 * size),
        "log-spectral-norm": sign * (-0.06 * depth) - sign * (gap + 0.03 * depth),
        "alpha": -sign * (-0.06 * depth) + sign * (gap + 0.03 * depth),
    }
    if sign < 0:
        measures["pacbayes-orig"] = measures["pacbayes-orig"] * np.exp(3 * size)
    return as_ledger(
        pandas.DataFrame({**table, **{f"measure.{k}": v for k, v in measures.items()}, "gap": gap, "test_size": 10**6})
    )


@pytest.fixture(scope="module")
def worlds() -> dict[float, list[dict[str, object]]]:
    return {sign: claims_of(ledger(sign)) for sign in (1.0, -1.0)}


def test_claims_hold_where_they_were_built_in_and_fail_where_they_are_turned_round(
    worlds: dict[float, list[dict[str, object]]],
) -> None:
    held, turned = worlds[1.0], worlds[-1.0]
    names = [row["claim"] for row in held]
    assert names == [claim.sentence for claim in CLAIMS]
    wanted = [2, 3, 5, 6, 7, 8, 9, 10]  # from one: sign errors on an axis, and Simpson's paradox
    for place in wanted:
        assert held[place - 1]["verdict"] == "reproduced", held[place - 1]
        assert turned[place - 1]["verdict"] == "not reproduced", turned[place - 1]
    identity = held[3]
    assert identity["verdict"] == turned[3]["verdict"] == "reproduced"
    assert identity["value"] == identity["low"] == identity["high"] == 0.0


def test_dividing_by_the_training_size_wins_the_axis_and_the_control_does_not(
    worlds: dict[float, list[dict[str, object]]],
) -> None:
    row = worlds[1.0][0]
    assert row["value"] == pytest.approx(0.0, abs=0.05)
    assert row["control"] > 0.9  # type: ignore[operator]
    assert row["verdict"] == "reproduced"
    # norms that grow faster than the number of examples are wrong even when they are divided by it
    assert worlds[-1.0][0]["verdict"] == "not reproduced"


def test_the_collapse_of_a_tuned_measure() -> None:
    design, draws = grid((4, 2, 2, 2), 2), np.random.default_rng(1)
    table = {f"hp.{name}": codes for name, codes in zip(design.axes, design.codes.T, strict=True)}
    noise = {f"measure.noise{k}": draws.normal(size=design.networks) for k in range(30)}
    gap = draws.normal(size=design.networks)
    row = claims_of(as_ledger(pandas.DataFrame({**table, **noise, "gap": gap})), claims=CLAIMS[-1:])[0]
    assert row["value"] < 0.6
    signal = {f"measure.signal{k}": gap + 0.01 * draws.normal(size=len(gap)) for k in range(5)}
    row = claims_of(as_ledger(pandas.DataFrame({**table, **signal, "gap": gap})), claims=CLAIMS[-1:])[0]
    assert row["value"] > 0.8
    assert row["verdict"] == "not reproduced"


def test_what_cannot_be_asked_is_underpowered_with_the_reason() -> None:
    design = grid((3, 2), 2)
    gap = np.random.default_rng(0).normal(size=12)
    table = pandas.DataFrame({
        "hp.width": design.codes[:, 0],
        "hp.other": design.codes[:, 1],
        "measure.path-norm": gap,
        "gap": gap,
    })
    rows = claims_of(as_ledger(table))
    assert {row["verdict"] for row in rows if "path norm" not in str(row["claim"])} == {"underpowered"}
    assert "no measure params" in str(rows[1]["reason"])
    assert "no hyper-parameter 'size'" in str(rows[0]["reason"])


def test_sizes_in_words_cannot_be_divided_by() -> None:
    held = ledger(1.0)
    words = {**held.hyper_parameters, "size": np.array(["few", "many"])[held.design.codes[:, -1]]}
    first = claims_of(replace(held, hyper_parameters=words), claims=CLAIMS[:1])[0]
    assert first["verdict"] == "underpowered"
    assert "no numbers" in first["reason"]
