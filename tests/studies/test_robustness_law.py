"""The law of robustness: gradients against autograd, fits against the pseudo-inverse, statistics on a table made by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import robustness_law as study


def test_gradients_and_fits_are_those_of_autograd_and_the_pseudo_inverse() -> None:
    table = study.robustness_law(features=50, examples=12, dimension=4, members=2, ridge=0.3, points=6, seed=5)
    draw = np.random.default_rng([5, 0])
    x = draw.standard_normal((2, 18, 4))
    x /= np.sqrt((x**2).sum(2))[:, :, None]
    y = draw.choice([-1.0, 1.0], (2, 12))
    weights = np.random.default_rng([5, 1, 50]).standard_normal((2, 50, 4))
    for member in range(2):
        inputs = torch.tensor(x[member], requires_grad=True)
        phi = torch.relu(inputs @ torch.tensor(weights[member]).T) / 50**0.5
        seen = phi[:12].detach().numpy()
        fitted = {
            "": np.linalg.pinv(seen) @ y[member],
            "_ridged": np.linalg.solve(seen.T @ seen + 0.3 * np.eye(50), seen.T @ y[member]),
        }
        for suffix, outer in fitted.items():
            slope = torch.autograd.grad((phi @ torch.tensor(outer)).sum(), inputs, retain_graph=True)[0].norm(dim=1)
            assert table["steepest" + suffix][member] == pytest.approx(float(slope.max()), rel=1e-8)
            left = ((seen @ outer - y[member]) ** 2).mean()
            assert table["unfitted" + suffix][member] == pytest.approx(left, rel=1e-7, abs=1e-15)
            if not suffix:
                assert table["mean"][member] == pytest.approx(float(slope.mean()), rel=1e-8)


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("robustness-law")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.table.unfitted.max() < 1e-10
    assert record.table.unfitted_ridged.min() > 0.3
    assert record.figure().to_dict()["layer"]


def test_a_ridge_so_small_that_labels_are_fitted_shows_the_effect_too() -> None:
    record = heldout.study("robustness-law", ridge=1e-9, features=[220, 1600], members=3, points=50)
    assert record.claims[0]["verdict"] == "not reproduced"
    assert record.claims[0]["control"] > 1.0


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"features": k, "examples": 16, "member": member, "steepest": steep, "steepest_ridged": 2.0, "mean": 1.0}
        for k, steep in ((16, 8.0), (64, 9.0), (256, 1.0))
        for member in (0, 1)
    ]
    table = pd.DataFrame(rows)
    assert study.fall_when_interpolating(table) == pytest.approx([np.log(8)] * 2)
    assert study.fall_when_smoothing(table) == pytest.approx([0.0] * 2)
    assert study.rise_when_interpolating(table) == pytest.approx([np.log(9 / 8)] * 2)
    assert study.over_the_law(table) == pytest.approx([np.log(4)] * 2)
    drawn = study.curves(table)
    assert list(drawn[drawn.curve == "root of examples over features"].y) == pytest.approx([1.0, 0.5, 0.25])
