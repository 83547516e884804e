"""The largest box: closed forms, linear programs over all ways to err, and the edges of the search."""

from itertools import combinations
from unittest import mock

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from tests import architectures, cases
from tests.subjects import Way, evidence
from torch import nn

from heldout.engine.evidence import box_radii
from heldout.engine.evidence.box_radii import BoxRadius
from heldout.engine.evidence.noise import FLOOR
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable

WAYS = ("box_radius", "magnitude_box_radius")


def found(network: nn.Module | list[nn.Module], data: tuple, way: str, **how: object) -> BoxRadius:
    return Evidence(Subject(network, train=data, **{"loss": "binary-cross-entropy", **how}))[way]  # type: ignore[arg-type]


def two_weights(first: float, second: float, *, examples: int = 50, wrong: int = 0) -> tuple[nn.Linear, tuple]:
    """Eight in fifty examples look at the first weight alone, the others at the second; some of these have the other label."""
    layer = nn.Linear(2, 1, bias=False).double()
    layer.weight.data = torch.tensor([[first, second]]).double()
    place = torch.arange(examples) % 50 < 8
    y = torch.arange(examples) // 2 % 2
    sign = (2 * y - 1).double()
    x = torch.stack([sign * place, sign * ~place], dim=1)
    y = torch.where(torch.arange(examples) >= examples - wrong, 1 - y, y)
    return layer, (x, y)


def encloses(radius: BoxRadius, exact: float) -> None:
    assert radius.converged.all()
    assert (radius.radius <= exact * (1 + 1e-9)).all()
    assert (radius.failing >= exact * (1 - 1e-9)).all()
    assert (radius.failing <= radius.radius * 2 ** (1.01 * box_radii.FINE)).all()


@pytest.mark.parametrize("factor", [1.0, 1e-6, 1e5])
def test_of_two_weights_the_smaller_one_is_the_box(factor: float) -> None:
    encloses(found(*two_weights(0.3 * factor, 5.0 * factor), "box_radius"), 0.3 * factor)


def test_of_two_weights_relative_boxes_are_the_whole_weight_less_epsilon() -> None:
    encloses(found(*two_weights(0.3, 5.0), "magnitude_box_radius"), (0.3 - FLOOR) / 0.3)


def test_more_examples_than_are_climbed_on_are_all_judged() -> None:
    layer, data = two_weights(0.3, 5.0, examples=300)
    with mock.patch.object(box_radii, "MOST", 100):
        encloses(found(layer, data, "box_radius"), 0.3)


def least_box(w: np.ndarray, x: np.ndarray, y: np.ndarray, mistakes: int) -> float:
    """The smallest box that has room for so many mistakes of ``sign(w x)``: one linear program for every choice of them."""
    sides = (2 * y - 1)[:, None] * x
    eye, one = np.eye(len(w)), np.ones((len(w), 1))
    inside = np.block([[eye, -one], [-eye, -one]])

    def box(chosen: tuple[int, ...]) -> float:
        rows = np.hstack([sides[list(chosen)], np.zeros((mistakes, 1))])
        right = np.concatenate([-sides[list(chosen)] @ w, np.zeros(2 * len(w))])
        bounds = [(None, None)] * len(w) + [(0, None)]
        return float(linprog([0] * len(w) + [1], np.vstack([rows, inside]), right, bounds=bounds).fun)

    return min(box(chosen) for chosen in combinations(range(len(y)), mistakes))


def test_against_linear_programs_over_all_pairs_of_mistakes() -> None:
    generator, ratios = np.random.default_rng(0), []
    for _ in range(6):
        w, x = 2 * generator.normal(size=5), generator.normal(size=(10, 5))
        y = (x @ w > 0).astype(int)
        layer = nn.Linear(5, 1, bias=False).double()
        layer.weight.data = torch.from_numpy(w)[None]
        search = found(layer, (torch.from_numpy(x), torch.from_numpy(y)), "box_radius")
        exact = least_box(w, x, y, 2)  # one mistake in ten is allowed
        assert search.failing.item() >= exact * (1 - 1e-6)  # a box that fails is certain
        ratios.append(search.failing.item() / exact)
    # what the climbs miss: on ten examples with margins of all sizes, where the choice of the two is hard
    assert np.median(ratios) < 1.25
    assert max(ratios) < 2


def test_both_climbs_are_needed() -> None:
    generator, missed = np.random.default_rng(0), []
    for _ in range(4):
        w, x = 2 * generator.normal(size=5), generator.normal(size=(10, 5))
        layer = nn.Linear(5, 1, bias=False).double()
        layer.weight.data = torch.from_numpy(w)[None]
        data = (torch.from_numpy(x), torch.from_numpy((x @ w > 0).astype(int)))
        both = found(layer, data, "box_radius").failing
        with mock.patch.object(box_radii, "highest_in_box", _mean_loss_only()):
            missed.append(bool(found(layer, data, "box_radius").failing > 1.05 * both))
    assert any(missed)


def _mean_loss_only() -> object:
    whole = box_radii.highest_in_box

    def first_alone(stack: object, own: object, objective: object, *args: object, **named: object) -> object:
        top = whole(stack, own, objective, *args, **named)  # type: ignore[arg-type]
        return top if named["start"] is None else top._replace(judged=0 * top.judged)

    return first_alone


def test_a_tenth_of_errors_leaves_a_box_and_more_leave_none_whoever_stands_beside() -> None:
    bound = two_weights(0.3, 5.0, wrong=5)
    layer, other = bound[0], nn.Linear(2, 1, bias=False).double()
    other.weight.data = -layer.weight.data
    alone, both = found(layer, bound[1], "box_radius"), found([layer, other], bound[1], "box_radius")
    encloses(alone, 0.3)  # five in fifty are wrong already
    assert both.radius[1].isnan()
    assert both.failing[1].isnan()
    assert both.converged.tolist() == [True, True]
    assert both.radius[0] == alone.radius[0]
    assert both.failing[0] == alone.failing[0]
    assert found(*two_weights(0.3, 5.0, wrong=6), "box_radius").radius.isnan().all()


def test_what_no_box_breaks_does_not_converge() -> None:
    data = (torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(20, dtype=torch.long))
    search = found(architectures.Stubborn(), data, "box_radius", loss="cross-entropy")
    assert search.converged.tolist() == [False]
    assert search.failing.item() == torch.inf


@pytest.mark.parametrize("way", WAYS)
def test_the_curve_rises_through_the_tenth(way: str) -> None:
    search = evidence("mlp")[way]
    assert (search.radii.diff(dim=1) >= 0).all()
    assert (search.errors.diff(dim=1) >= 0).all()
    for member in range(3):
        errors, radii = search.errors[member], search.radii[member]
        assert (errors[radii >= search.failing[member] * (1 - 1e-12)] > 0.1).all()
        assert errors[radii < search.failing[member] * (1 - 1e-12)].max() <= 0.1


@pytest.mark.parametrize("way", WAYS)
def test_memory_for_one_network_at_a_time_changes_nothing(way: str) -> None:
    cut = Evidence(cases.mlp().subject(memory=20_000))[way]
    whole = evidence("mlp", Way(members=(0,)))[way]
    assert cut.radius.item() == pytest.approx(whole.radius.item(), rel=1e-9)
    assert cut.failing.item() == pytest.approx(whole.failing.item(), rel=1e-9)


def test_every_member_may_have_data_of_its_own() -> None:
    (first, data), (second, _) = two_weights(0.3, 5.0), two_weights(0.6, 5.0)
    x = torch.stack([data[0], 2 * data[0]])  # twice the inputs, the same decisions
    apart = found([first, second], Examples(x, data[1].expand(2, -1), True, True), "box_radius")  # type: ignore[arg-type]
    encloses(BoxRadius(*(part[:1] for part in apart)), 0.3)
    encloses(BoxRadius(*(part[1:] for part in apart)), 0.6)


def test_only_classifications_have_boxes() -> None:
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["box_radius"]
