"""Sources of variance: terms against enumerated draws and against products of pairs of cells, predictions one by one."""

import itertools

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import bias_variance_random_features as study

NAME = "bias-variance-random-features"


def test_terms_are_unbiased_over_every_draw_of_two_levels_out_of_three() -> None:
    f = np.random.default_rng(0).standard_normal((3, 3, 3)) + 2.0
    effects = {"": f.mean(keepdims=True)}
    for term in study.TERMS:
        others = tuple(axis for axis, source in enumerate("PXE") if source not in term)
        effects[term] = f.mean(others, keepdims=True) - sum(effects[part] for part in effects if set(part) < set(term))
    drawn = [list(pair) for pair in itertools.product(range(3), repeat=2)]
    designs = np.stack([f[np.ix_(*chosen)] for chosen in itertools.product(drawn, repeat=3)])
    found = study.variance_terms(designs[..., None])
    for term in study.TERMS:
        assert found[term].mean() == pytest.approx((effects[term] ** 2).mean(), rel=1e-9), term


def by_pairs(f: np.ndarray) -> dict[str, float]:
    """The same terms from means of products of two cells that share exactly some levels."""
    cells, products = list(np.ndindex(f.shape[:3])), {}
    for one, other in itertools.product(cells, cells):
        shared = "".join(source for source, a, b in zip("PXE", one, other, strict=True) if a == b)
        products.setdefault(shared, []).append((f[one] * f[other]).mean())
    terms = {}
    for name in ("", *study.TERMS):
        terms[name] = np.mean(products[name]) - sum(terms[part] for part in terms if set(part) < set(name))
    return terms


@pytest.mark.parametrize("features", [3, 7, 12])
def test_columns_are_those_of_ridge_solutions_one_by_one(features: int) -> None:
    table = study.bias_variance_random_features(
        features=features, examples=7, dimension=4, levels=2, members=2, noise=0.6, curvature=1.2, ridge=0.01, held_out=5,
        seed=3,
    )  # fmt: skip
    draw = np.random.default_rng([3, 0])
    teachers, inputs = draw.standard_normal((2, 4)), draw.standard_normal((2, 19, 4))
    noises = 0.6 * draw.standard_normal((2, 2, 7))
    weights = np.random.default_rng([3, 1, features]).standard_normal((2, 2, 4, features))
    for member in range(2):
        x = inputs[member]
        target = x @ teachers[member] / np.linalg.norm(teachers[member]) + 1.2 * np.tanh(2 * x[:, 0])
        f = np.empty((2, 2, 2, 5))
        for p, i, e in np.ndindex(2, 2, 2):
            phi, tested = (np.clip(part @ weights[member, p], 0, None) for part in (x[7 * i : 7 * i + 7], x[14:]))
            ridge = 0.01 * (phi**2).sum() / min(7, features)
            dual = np.linalg.solve(phi @ phi.T + ridge * np.eye(7), target[7 * i : 7 * i + 7] + noises[member, e])
            f[p, i, e] = tested @ phi.T @ dual
        terms = by_pairs(f)
        assert {name: table[name][member] for name in study.TERMS} == pytest.approx(
            {name: terms[name] for name in study.TERMS}, rel=1e-7, abs=1e-10
        )
        differing = by_pairs(f - target[14:])[""]  # products of cells that share nothing have no variance in them
        assert table["bias"][member] == pytest.approx(differing, rel=1e-7, abs=1e-10)


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study(NAME)
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert len(record.figure().to_dict()["layer"]) == 1


def test_a_large_ridge_leaves_no_explosion() -> None:
    record = heldout.study(NAME, ridge=3.0, members=3, levels=4)
    assert record.claims[0]["verdict"] == record.claims[1]["verdict"] == "not reproduced"


def test_statistics_of_a_table_made_by_hand() -> None:
    few = {"P": 3.0, "X": 1.0, "E": 0.0, "PX": 1.0, "PE": 0.0, "XE": 0.0, "PXE": 1.0}
    threshold = {"P": 4.0, "X": 2.0, "E": 2.0, "PX": 20.0, "PE": 2.0, "XE": 10.0, "PXE": 60.0}
    most = {"P": 1.0, "X": 1.0, "E": 1.0, "PX": 0.5, "PE": 0.0, "XE": 0.0, "PXE": 0.5}
    arms = ((2, few), (8, threshold), (30, most))
    table = pd.DataFrame([
        {"member": m, "examples": 8, "features": n, "bias": -1.0, **row} for n, row in arms for m in (0, 1)
    ])
    assert study.growth_of_interactions(table) == pytest.approx([0.78] * 2)
    assert study.growth_of_main_effects(table) == pytest.approx([0.04] * 2)
    assert study.interactions_at_threshold(table) == pytest.approx([0.8] * 2)
    assert study.interactions_with_many_features(table) == pytest.approx([0.25] * 2)
    assert study.ensembled_over_features(table) == pytest.approx([np.log(0.14 + 0.86 / 100)] * 2)
    assert study.ensembled_over_noise(table) == pytest.approx([np.log(0.26 + 0.74 / 100)] * 2)
    assert (study.terms_by_features(table).y > 0).all()
