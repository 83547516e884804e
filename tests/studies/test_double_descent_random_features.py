"""Double descent in random features: every column against a solution member by member, statistics against hand-made tables."""

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import double_descent_random_features as study

NAME = "double-descent-random-features"


@pytest.mark.parametrize("features", [6, 12, 30])
def test_columns_are_those_of_pseudo_inverse_and_normal_equations(features: int) -> None:
    table = study.double_descent_random_features(
        features=features, examples=12, dimension=4, members=3, noise=0.7, curvature=1.5, held_out=25, seed=5
    )
    draw = np.random.default_rng([5, 0])
    teachers = draw.standard_normal((3, 4))
    inputs, noises = draw.standard_normal((3, 62, 4)), draw.standard_normal((3, 12))
    weights = np.random.default_rng([5, 1, features]).standard_normal((3, 4, features))
    for member in range(3):
        x = inputs[member]
        target = x @ teachers[member] / np.linalg.norm(teachers[member]) + 1.5 * np.tanh(2 * x[:, 0])
        y = target[:12] + 0.7 * noises[member]
        phi = np.clip(x @ weights[member], 0, None)
        inverse = np.linalg.pinv(phi[:12])
        tested = phi[37:]
        assert table["ridgeless"][member] == pytest.approx(((tested @ inverse @ y - target[37:]) ** 2).mean(), rel=1e-8)
        assert table["condition"][member] == pytest.approx(np.linalg.cond(phi[:12]), rel=1e-8)
        assert table["norm"][member] == pytest.approx(((inverse @ y) ** 2).sum(), rel=1e-8)
        smoother = tested @ inverse
        assert table["effective"][member] == pytest.approx(12 * (smoother**2).sum(1).mean(), rel=1e-8)
        scale = (phi[:12] ** 2).sum() / min(12, features)  # mean squared singular value
        validated = []
        for ridge in (0, *(10 ** (-6 + step / 4) for step in range(41))):
            if ridge:
                gram = phi[:12].T @ phi[:12] + ridge * scale * np.eye(features)
                fitted = np.linalg.solve(gram, phi[:12].T @ y)
            else:
                fitted = inverse @ y
            errors = (phi[12:] @ fitted - target[12:]) ** 2
            validated.append((errors[:25].mean(), errors[25:].mean()))
        assert table["ridge"][member] == pytest.approx(min(validated)[1], rel=1e-6)


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study(NAME)
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 5
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_noise_is_what_raises_the_peak() -> None:
    quiet = heldout.study(NAME, noise=0.0, curvature=0.0, dimension=2, examples=60, features=[30, 60, 120], members=10)
    loud = heldout.study(NAME, noise=1.0, curvature=0.0, dimension=2, examples=60, features=[30, 60, 120], members=10)
    assert quiet.claims[1]["value"] < loud.claims[1]["value"] - 1


def test_a_grid_without_the_threshold_decides_nothing_about_it() -> None:
    record = heldout.study(NAME, features=[10, 200], members=3)
    assert [claim["verdict"] for claim in record.claims[1:]] == [
        "underpowered", "reproduced", "underpowered", "underpowered"
    ]  # fmt: skip


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"features": n, "examples": 10, "member": member, "ridgeless": risk, "ridge": 1 / n, "condition": risk**2,
         "effective": risk * 3}
        for n, risk in ((2, 4.0), (5, 2.0), (10, 32.0), (20, 3.0), (40, 1.0))
        for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.distance_without_ridge(table) == [0.0, 0.0]
    assert study.distance_with_ridge(table) == pytest.approx([np.log(5)] * 2)
    assert study.peak_without_ridge(table) == pytest.approx([np.log(16)] * 2)
    assert study.peak_with_ridge(table) == pytest.approx([np.log(0.5)] * 2)
    assert study.gain_of_the_second_descent(table) == pytest.approx([np.log(2)] * 2)
    assert study.correlation_without_ridge(table) == pytest.approx([1.0] * 2)
    kept = np.log([[32.0, 0.1], [3.0, 0.05], [1.0, 0.025]])
    assert study.correlation_with_ridge(table) == pytest.approx([np.corrcoef(kept.T)[0, 1]] * 2)
    assert study.rank_by_effective_parameters(table) == pytest.approx([1.0] * 2)
    assert study.rank_by_features(table) == pytest.approx([-1.0] * 2)
    drawn = study.curves(table)
    row = drawn[(drawn.x == 10) & (drawn.panel == "condition number")].iloc[0]
    assert (row.y, row.low, row.high) == (1024.0, 1024.0, 1024.0)
