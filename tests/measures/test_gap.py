"""The gap against per-example float64 readings and SciPy's intervals."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import inversions
from tests.oracles import outputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures import gap
from heldout.records import Status

NAMES = ("mlp", "cnn", "transformer", "token_transformer")


def both(case: cases.Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    (x, y), (x_test, y_test) = case.train, case.test
    return oracle.outputs(case.network, x), y.numpy(), oracle.outputs(case.network, x_test), y_test.numpy()


@pytest.mark.parametrize("name", NAMES)
def test_accuracies_and_their_exact_intervals(name: str) -> None:
    case = cases.ALL[name]()
    evidence = Evidence(case.subject())
    logits, y, test_logits, y_test = both(case)
    train, test_errors = 1 - oracle.errors(logits, y).mean(), oracle.errors(test_logits, y_test)
    low, high = oracle.accuracy_interval(int(test_errors.sum()), len(test_errors))
    error = math.sqrt(test_errors.mean() * (1 - test_errors.mean()) / len(test_errors))

    assert read_measure(find("train-accuracy"), evidence).value.item() == pytest.approx(train, rel=1e-12)
    reading = read_measure(find("test-accuracy"), evidence)
    assert reading.value.item() == pytest.approx(1 - test_errors.mean(), rel=1e-12)
    assert (reading.low.item(), reading.high.item()) == pytest.approx((low, high), rel=1e-9)
    assert reading.standard_error.item() == pytest.approx(error, rel=1e-9)
    reading = read_measure(find("accuracy-gap"), evidence)
    assert reading.value.item() == pytest.approx(train - (1 - test_errors.mean()), abs=1e-12)
    assert (reading.low.item(), reading.high.item()) == pytest.approx((train - high, train - low), abs=1e-9)
    assert reading.standard_error.item() == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_losses_and_their_gap(name: str) -> None:
    case = cases.ALL[name]()
    evidence = Evidence(case.subject())
    logits, y, test_logits, y_test = both(case)
    train, test = oracle.cross_entropies(logits, y), oracle.cross_entropies(test_logits, y_test)
    error = test.std(ddof=1) / math.sqrt(len(test))

    assert read_measure(find("train-loss"), evidence).value.item() == pytest.approx(train.mean(), rel=1e-5)
    reading = read_measure(find("test-loss"), evidence)
    assert reading.value.item() == pytest.approx(test.mean(), rel=1e-5)
    assert reading.standard_error.item() == pytest.approx(error, rel=1e-5)
    reading = read_measure(find("loss-gap"), evidence)
    assert reading.value.item() == pytest.approx(test.mean() - train.mean(), rel=1e-5)
    expected = [test.mean() - train.mean() + side * 1.959964 * error for side in (-1, 1)]
    assert [reading.low.item(), reading.high.item()] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("p_min", "order"), [(1e-5, 0), (0.05, 3)])
def test_bounded_loss_gap_by_its_definition(p_min: float, order: int) -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject())
    logits, y, test_logits, y_test = both(case)
    train, test = oracle.clamped(logits, y, p_min).mean(), oracle.clamped(test_logits, y_test, p_min)
    result = gap.bounded_loss_gap(
        *(evidence[name] for name in ("logits", "labels", "test_logits", "test_labels")), p_min=p_min, order=order
    )
    assert result.value.item() == pytest.approx(test.mean() - train, rel=1e-5)
    assert result.standard_error.item() == pytest.approx(test.std(ddof=1) / math.sqrt(len(test)), rel=1e-5)

    shuffled = test[np.random.Generator(np.random.PCG64(order)).permutation(len(test))]
    below, above = inversions.betting_upper(shuffled.tolist(), math.log(0.025))
    assert below - 1e-5 <= result.high.item() + train <= above + 1e-5
    below, above = inversions.betting_upper((1 - shuffled).tolist(), math.log(0.025))
    assert below - 1e-5 <= 1 - (result.low.item() + train) <= above + 1e-5


def test_bounded_losses_stay_in_their_range_at_extreme_logits() -> None:
    sure = torch.tensor([[[1e4, -1e4], [1e4, -1e4]]])
    right, wrong = torch.tensor([[0, 0]]), torch.tensor([[1, 1]])
    assert gap.bounded_loss_gap(sure, right, sure, wrong).value.item() == 1.0
    assert gap.bounded_loss_gap(sure, wrong, sure, right).value.item() == -1.0


def test_members_of_a_population_read_as_they_do_alone() -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    population = Evidence(cases.together(members))
    for name in ("accuracy-gap", "test-accuracy", "loss-gap", "bounded-loss-gap"):
        together = read_measure(find(name), population)
        alone = [read_measure(find(name), Evidence(member.subject())) for member in members]
        for column in ("value", "low", "high", "standard_error"):
            expected = [getattr(reading, column).item() for reading in alone]
            assert getattr(together, column).tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7), (name, column)
        assert len(set(together.value.tolist())) > 1, name


def test_without_test_data_only_what_needs_it_is_absent() -> None:
    evidence = Evidence(cases.mlp().subject(test=None))
    for name in ("test-accuracy", "accuracy-gap", "test-loss", "loss-gap", "bounded-loss-gap"):
        reading = read_measure(find(name), evidence)
        assert reading.statuses == (Status.NOT_APPLICABLE,)
        assert "no test data" in reading.reasons[0]
    assert read_measure(find("train-accuracy"), evidence).ok
    assert read_measure(find("train-loss"), evidence).ok


def test_a_regression_has_losses_and_no_accuracy() -> None:
    case = cases.regression()
    evidence = Evidence(case.subject())
    for name in ("train-accuracy", "test-accuracy", "accuracy-gap", "bounded-loss-gap"):
        assert read_measure(find(name), evidence).statuses == (Status.NOT_APPLICABLE,)
    train, test = (
        ((oracle.outputs(case.network, x) - y.double().numpy()) ** 2).mean(1) for x, y in (case.train, case.test)
    )
    assert read_measure(find("loss-gap"), evidence).value.item() == pytest.approx(test.mean() - train.mean(), rel=1e-5)


def test_a_single_test_example_has_no_standard_error_of_the_loss() -> None:
    x, y = cases.mlp().test
    reading = read_measure(find("test-loss"), Evidence(cases.mlp().subject(test=(x[:1], y[:1]))))
    assert reading.ok
    assert reading.rows()[0]["standard_error"] is None
    assert reading.rows()[0]["high"] is None
