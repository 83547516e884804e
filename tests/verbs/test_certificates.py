"""Ledgers that add up, refusals that name their reason, baselines that are honest."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.catalog import units
from heldout.engine.evidence.held_out import HeldOutLoss
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Refusal, Status
from heldout.verbs.certificates import certificates_of, outward, spent


def certificates(case: Any, delta: float = 0.05, **changes: Any) -> dict[str, Any]:
    return {c.name: c for c in certificates_of(Evidence(case.subject(**changes)), delta=delta)}


@pytest.mark.parametrize("delta", [0.05, 0.3])
def test_every_ledger_adds_up_to_delta(delta: float) -> None:
    found = certificates(cases.mlp(), delta)
    assert set(found) == {name for name, unit in units("bound").items() if unit.needs == ("held_out_losses",)}
    for certificate in found.values():
        assert math.fsum(line.delta for line in certificate.ledger) == pytest.approx(delta, abs=1e-15)
        assert certificate.delta == delta
        assert certificate.status is Status.VALID
        assert certificate.empirical_risk <= certificate.value < 1
        assert certificate.examples == 90
        assert "90 held-out examples" in certificate.data_ledger["bound"]


def test_the_baseline_is_clopper_pearson_on_the_same_points() -> None:
    found = certificates(cases.mlp())
    exact = found["clopper-pearson"].value
    for name, certificate in found.items():
        assert certificate.baseline["name"] == "clopper-pearson"
        assert certificate.baseline["value"] == exact
        assert certificate.baseline["adds_information"] is (certificate.value < exact)
        assert ("adds" in certificate.baseline["verdict"]) is (name != "clopper-pearson")


def test_a_population_is_certified_member_by_member() -> None:
    several = [cases.mlp(seed=i) for i in range(3)]
    found = certificates_of(Evidence(cases.together(several)))
    alone = [certificates(case) for case in several]
    assert [(c.name, c.member, c.value) for c in found] == [
        (name, member, alone[member][name].value) for name in alone[0] for member in range(3)
    ]


def test_no_held_out_data_no_certificate() -> None:
    assert certificates(cases.mlp(), test=None) == {}


def refused(case: Any, word: str, **changes: Any) -> None:
    for certificate in certificates(case, **changes).values():
        assert certificate.status is Status.REFUSED
        assert certificate.value is None
        assert word in certificate.reason
        assert certificate.baseline["value"] is None


def test_test_data_used_for_selection_are_refused() -> None:
    refused(cases.mlp(), "took part in choosing", selected_on_test=True)


def test_train_mode_layers_are_refused_and_named() -> None:
    network = nn.Sequential(nn.Linear(8, 6), nn.Dropout(0.5), nn.Linear(6, 3)).train()
    refused(cases.mlp(), "1 (Dropout)", network=network, initial=None)


def test_an_exact_repeat_is_refused_with_its_index() -> None:
    case = cases.mlp()
    x, y = case.test[0].clone(), case.test[1]
    x[7] = case.train[0][3]
    refused(case, "test indices 7", test=(x, y))


def test_a_near_repeat_is_refused() -> None:
    case = cases.mlp()
    x, y = case.test[0].clone(), case.test[1]
    x[11] = case.train[0][5] + 1e-4
    refused(case, "1 nearly do", test=(x, y))


def test_allowed_repeats_stand_in_the_ledger_as_an_assumption() -> None:
    case = cases.mlp()
    x = case.test[0].clone()
    x[7] = case.train[0][3]
    found = certificates(case, test=(x, case.test[1]), duplicates="allow")
    assert all(c.status is Status.VALID for c in found.values())
    assert all("independent draws" in c.data_ledger["assumption"] for c in found.values())
    assert all(c.data_ledger["repeats"].startswith("1 exact") for c in found.values())


def test_several_reasons_are_all_said() -> None:
    case = cases.mlp()
    x = case.test[0].clone()
    x[0] = case.train[0][0]
    (certificate, *_) = certificates(case, test=(x, case.test[1]), selected_on_test=True).values()
    assert "took part" in certificate.reason
    assert "equal a training example" in certificate.reason


def test_a_regression_needs_a_range_and_then_uses_it() -> None:
    case = cases.regression()
    assert certificates(case) == {}
    found = certificates(case, loss_range=(0.0, 20.0))
    assert "clopper-pearson" not in found
    x, y = case.test
    losses = (case.network(x).detach().double() - y).square().mean(1).numpy()
    assert found["hoeffding"].value == pytest.approx(losses.mean() + 20 * math.sqrt(math.log(20) / (2 * len(losses))))
    assert found["betting"].baseline["name"] == "kl"
    assert found["betting"].loss_range == (0.0, 20.0)


def test_a_loss_outside_its_declared_range_is_refused() -> None:
    refused(cases.regression(), "outside the declared range", loss_range=(0.0, 1e-4))


def test_a_bound_at_the_maximum_is_vacuous() -> None:
    case = cases.mlp()
    x, y = case.test
    found = certificates(case, test=(x[:1], y[:1]))
    assert found["hoeffding"].status is Status.VACUOUS
    assert "too little" in found["hoeffding"].reason


@pytest.mark.parametrize("delta", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_delta_must_be_a_probability(delta: float) -> None:
    with pytest.raises(Refusal, match="delta"):
        certificates_of(Evidence(cases.mlp().subject()), delta=delta)


def test_an_overspent_ledger_is_refused() -> None:
    with pytest.raises(Refusal, match="of delta"):
        spent((("a", 0.7), ("b", 0.7)), 0.05)


def test_rescaling_is_never_below_the_exact_value() -> None:
    from fractions import Fraction

    draws = np.random.default_rng(0)
    for low, width, value in draws.random((2000, 3)):
        loss = HeldOutLoss("loss", float(low - 0.5), float(low - 0.5 + width + 1e-3))
        exact = Fraction(value) * (Fraction(loss.high) - Fraction(loss.low)) + Fraction(loss.low)
        assert min(exact, Fraction(loss.high)) <= Fraction(outward(float(value), loss))


def test_a_certificate_survives_its_record() -> None:
    (certificate, *_) = certificates(cases.mlp()).values()
    again = type(certificate).from_row(certificate.row())
    assert again == dataclasses.replace(certificate, data_ledger=dict(certificate.data_ledger))
    assert torch.is_tensor(torch.tensor(certificate.value))
