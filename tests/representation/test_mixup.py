"""Accuracy on mixtures."""

import math

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.hidden_mixing import HiddenMixup
from heldout.engine.evidence.mixing import MixupOutcomes
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.mixup import label_wise_mixup, manifold_mixup


def test_only_examples_with_a_partner_count() -> None:
    outcomes = MixupOutcomes(torch.tensor([1.0, 0.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    found = label_wise_mixup(outcomes)
    assert found.value.item() == pytest.approx(2 / 3)
    assert found.standard_error.item() == pytest.approx(math.sqrt(2 / 3 * 1 / 3 / 3))


def test_classes_of_one_example_have_no_mixtures() -> None:
    case = cases.mlp()
    x, y = case.train
    reading = read_measure(find("label-wise-mixup"), Evidence(case.subject(train=(x[:3], y[:3]), test=None)))
    assert reading.statuses == (Status.UNDEFINED,)
    assert "two training examples" in reading.reasons[0]


def test_a_network_that_learnt_the_classes_beats_one_that_memorized() -> None:
    # Four networks each, on the same inputs and with seeds fixed: true labels give 1, random ones 0.77 to 0.83.
    readings = [
        read_measure(find("label-wise-mixup"), Evidence(cases.together([make(seed) for seed in range(4)]))).value
        for make in (cases.generalizer, cases.memorizer)
    ]
    assert readings[0].min() > readings[1].max() + 0.1


def test_not_applicable_to_tokens() -> None:
    reading = read_measure(find("label-wise-mixup"), Evidence(cases.token_transformer().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)


def test_the_mean_over_draws_is_the_accuracy_over_all_pairs() -> None:
    case = cases.memorizer()
    x, y = case.train
    both = [(i, j) for i in range(60) for j in range(60) if i != j and y[i] == y[j]]
    first, second = (torch.tensor(side) for side in zip(*both, strict=True))
    right = (case.network((x[first] + x[second]) / 2).argmax(-1) == y[first]).double()
    others = (y.unsqueeze(0) == y.unsqueeze(1)).sum(1) - 1
    exact = (right / others[first]).sum().item() / 60
    found = torch.tensor([Evidence(case.subject(), seed=s)["mixup_correct"].correct.mean().item() for s in range(100)])
    # the mean of 100 draws is within six standard errors but with chance 2e-9
    assert 0 < exact < 1
    assert abs(found.mean().item() - exact) < 6 * found.std().item() / 10


def test_hidden_mixtures_are_averaged_over_layers_and_counted_examples() -> None:
    one, two = torch.tensor([1.0, 0.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 0.0, 1.0])
    found = manifold_mixup(HiddenMixup({"0": one, "2": two}, torch.tensor([1.0, 1.0, 1.0, 0.0])))
    assert found.value.item() == pytest.approx((1 + 0.5 + 0.5) / 3)
    shares = torch.tensor([1.0, 0.5, 0.5])
    assert found.standard_error.item() == pytest.approx(shares.std().item() / math.sqrt(3), rel=1e-6)
    assert manifold_mixup(HiddenMixup({"0": one}, torch.zeros(4))).value.isnan()


def test_hidden_mixtures_layer_by_layer() -> None:
    evidence = Evidence(cases.together([cases.cnn(0), cases.cnn(1)]))
    rows = read_profile(find("manifold-mixup-by-layer"), evidence).rows
    assert [(row["member"], row["layer"]) for row in rows] == [(0, "0"), (0, "3"), (1, "0"), (1, "3")]
    expected = evidence["hidden_mixup"].correct
    assert [row["accuracy"] for row in rows] == pytest.approx([
        expected[row["layer"]][row["member"]].mean().item() for row in rows
    ])
    reading = read_measure(find("manifold-mixup"), evidence)
    assert reading.value.tolist() == pytest.approx([sum(r["accuracy"] for r in rows[m : m + 2]) / 2 for m in (0, 2)])


def test_embeddings_of_tokens_are_mixed() -> None:
    assert read_measure(find("manifold-mixup"), Evidence(cases.token_transformer().subject())).ok
