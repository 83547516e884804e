"""``heldout.certify``: families, refusals, and the best certificate at the price of the choice."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests import cases
from torch import nn

import heldout
from heldout.catalog import bound, units
from heldout.engine.numerics import binomial_inverse_upper
from heldout.records import Bounded, Refusal, Status
from heldout.verbs import certificates as room
from heldout.verbs.certified import COLUMNS, Certificates
from heldout.verbs.certify import certify, families_named


@pytest.fixture(scope="module")
def found() -> Certificates:
    return certify(cases.mlp().subject(), families="held-out", delta=0.1, seed=3)


def test_the_best_is_the_tightest_at_delta_over_the_number_of_looks(found: Certificates) -> None:
    best, subject = found.best(), cases.mlp().subject()
    looks = len([unit for unit in units("bound").values() if unit.needs == ("held_out_losses",)])
    assert len(found) == looks
    errors = round(best.empirical_risk * best.examples)
    assert best.name == "clopper-pearson"
    assert best.value == binomial_inverse_upper(errors, best.examples, math.log(0.1 / looks))
    assert math.fsum(line.delta for line in best.ledger) == pytest.approx(0.1, abs=1e-15)
    assert best.ledger[-1].step == f"the other {looks - 1} certificates that were looked at"
    assert all(best.value <= one.value for one in found.together if one.value is not None)
    assert best.value > found["clopper-pearson"][0].value
    assert len(subject.test or ()) == best.examples


def test_choosing_among_members_is_paid_for_too() -> None:
    several = certify(cases.together([cases.mlp(seed=i) for i in range(3)]), families=["held-out"])
    one = certify(cases.mlp().subject(), families=["held-out"])
    assert len(several) == 3 * len(one)
    share = several.best(member=0).ledger[0].delta
    assert share == pytest.approx(one.best().ledger[0].delta / 3)
    assert several.best().value == min(c.value for c in several.together if c.value is not None)


def test_only_the_object_that_is_asked_for(found: Certificates) -> None:
    assert found.best(certifies="this network").value == found.best().value
    with pytest.raises(Refusal, match="the moon"):
        found.best(certifies="the moon")


def test_it_survives_its_record_and_is_a_table(found: Certificates) -> None:
    again = Certificates.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert again.best() == found.best()
    assert list(again.to_pandas().columns) == list(COLUMNS)
    assert len(again.to_pandas()) == len(found)
    assert "clopper-pearson" in found._repr_html_()
    with pytest.raises(Refusal, match="upgrade"):
        Certificates.from_dict({**found.to_dict(), "schema": 99})
    with pytest.raises(Refusal, match="not among the certificates"):
        found["no-such-bound"]


def test_without_held_out_data_the_reasons_stand_there() -> None:
    blind = certify(cases.mlp().subject(test=None), families="held-out")
    assert len(blind) == 0
    assert set(blind.absent) == {name for name, unit in units("bound").items() if unit.family == "held-out"}
    with pytest.raises(Refusal, match="none of 0"):
        blind.best()
    assert blind.to_dict()["best"] is None


def test_a_part_of_a_finite_pool_says_more_of_the_pool() -> None:
    found = certify(cases.mlp().subject(pool=120), families="held-out")
    (part,), (whole,) = found["without-replacement"], found["clopper-pearson"]
    assert part.value is not None
    assert whole.value is not None
    assert part.empirical_risk <= part.value < whole.value
    assert "pool of 120" in part.data_ledger["bound"]
    assert part.loss == "0-1 error on the pool"
    with pytest.raises(
        Refusal, match=r"2 losses that cannot be compared, '0-1 error' in \[0, 1\], '0-1 error on the pool'"
    ):
        found.best()  # a share of errors in the pool is no risk
    assert [one.loss for one in found.bests()] == ["0-1 error", "0-1 error on the pool"]
    assert found.best(loss=part.loss).name == "without-replacement"
    assert found.to_dict()["best"] is None
    assert len(found.to_dict()["bests"]) == 2
    assert part.certifies == "this network on the examples of the pool"
    assert found.best(certifies="this network").name == "clopper-pearson"
    for wrong in (3, 0.5, "many"):
        with pytest.raises(Refusal, match="pool was"):
            cases.mlp().subject(pool=wrong)


def test_a_pool_of_losses_has_their_units() -> None:
    found = certify(cases.regression().subject(loss_range=(0.0, 40.0), pool=100), families="held-out")
    part = found["betting-without-replacement"][0]
    assert part.loss_range == (0.0, 40.0)
    assert part.loss.endswith("on the pool")
    assert part.value is not None
    assert part.empirical_risk == pytest.approx(found["kl"][0].empirical_risk)
    assert part.empirical_risk < part.value < 40


def test_of_the_same_number_in_other_units_the_smaller_range_is_not_the_better(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(0.3)
    bits = replace(said, value=np.array([0.2]), loss="bits", loss_range=(0.0, 9.0))
    wide = replace(said, value=np.array([0.1]), loss_range=(0.0, 2.0))
    made = []
    for name, one in (("errors", said), ("bits", bits), ("wide", wide)):

        def give(errors: Any, *, log_delta: float, one: Bounded = one) -> Bounded:
            """A bound."""
            return one

        give.__name__ = name
        unit = bound(source="s", certifies="it", statement="certain", family="odd")(give).__heldout_unit__  # type: ignore[attr-defined]
        made.append(unit)
    monkeypatch.setattr("heldout.verbs.certify.bounds_of", lambda families: made)
    found = certify(cases.mlp().subject(), families="all", delta=0.1)
    assert [(one.loss, one.value) for one in found.bests()] == [("0-1 error", 0.3), ("bits", 0.2), ("0-1 error", 0.1)]
    assert found.best(loss="bits").value == 0.2
    with pytest.raises(Refusal, match="3 losses that cannot be compared"):
        found.best()
    with pytest.raises(Refusal, match=r"'0-1 error' in .*'0-1 error' in "):  # one name, two ranges
        found.best(loss="0-1 error")


def test_a_bound_above_guessing_is_vacuous_though_below_the_largest_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = {"loss": "bits", "loss_range": (0.1, 15.0), "guessing": 8.0}
    (one,) = only(monkeypatch, answer(8.95, **bits))
    assert (one.status, one.trivial, one.row()["trivial"]) == (Status.VACUOUS, 8.0, 8.0)
    assert "8.95, and guessing evenly has 8" in one.reason
    (one,) = only(monkeypatch, answer(7.9, **bits))
    assert (one.status, one.reason) == (Status.VALID, "")
    (one,) = only(monkeypatch, answer(0.9))
    assert (one.status, one.trivial) == (Status.VALID, 1.0)


def test_refused_certificates_are_never_the_best() -> None:
    selected = certify(cases.mlp().subject(selected_on_test=True), families="held-out")
    assert {one.status for one in selected} == {Status.REFUSED}
    with pytest.raises(Refusal, match="valid"):
        selected.best()


def only(
    monkeypatch: pytest.MonkeyPatch, answer: Bounded, standing: Status = Status.VALID, **changes: Any
) -> Certificates:
    def made(errors: Any, *, log_delta: float) -> Bounded:
        """A bound."""
        return answer

    declared = bound(source="s", certifies="a surrogate", statement="certain", family="odd", standing=standing)(made)
    unit = declared.__heldout_unit__  # type: ignore[attr-defined]
    monkeypatch.setattr("heldout.verbs.certify.bounds_of", lambda families: [unit])
    return certify(cases.mlp().subject(**changes), families="all", delta=0.1)


def answer(value: float, **fields: Any) -> Bounded:
    steps = fields.pop("steps", (("all", 1.0),))
    return Bounded(np.array([value]), steps, np.array([0.1]), 50, **fields)


def test_a_bound_of_another_family_brings_its_own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(0.3, data={"prior": "the first 20"}, code={"codebook": 64.0}, terms={"divergence": np.array([7.0])})
    (one,) = only(monkeypatch, said)
    assert (one.family, one.value, one.status, one.certifies) == ("odd", 0.3, Status.VALID, "a surrogate")
    assert one.data_ledger == {"prior": "the first 20"}
    assert one.code_ledger == {"codebook": 64.0}
    assert one.terms == {"divergence": 7.0}
    assert one.baseline["verdict"] == "used no held-out label"


def test_consumed_held_out_points_bring_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = only(monkeypatch, answer(0.3, baseline=np.array([0.2])))
    assert one.baseline["name"] == "clopper-pearson"
    assert one.baseline["adds_information"] is False


def test_estimates_spend_nothing_and_are_never_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    found = only(monkeypatch, answer(0.01, steps=()), Status.ESTIMATE)
    (one,) = found
    assert (one.status, one.delta, one.ledger) == (Status.ESTIMATE, 0.0, ())
    assert one.reason == Status.ESTIMATE.happened
    with pytest.raises(Refusal, match="valid"):
        found.best()


def test_absurd_bounds_are_vacuous_by_how_much_and_fit_into_json(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = only(monkeypatch, answer(float("inf")))
    assert one.status is Status.VACUOUS
    assert json.dumps(one.row(), allow_nan=False)
    (one,) = only(monkeypatch, answer(7.5))
    assert "7.5" in one.reason


def test_layers_in_training_mode_are_refused_in_every_family(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Linear(8, 6), nn.Dropout(0.5), nn.Linear(6, 3)).train()
    (one,) = only(monkeypatch, answer(0.3), network=network, initial=None)
    assert one.status is Status.REFUSED
    assert one.value is None
    assert "training mode" in one.reason


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"families": "held"}, "held-out"), ({"families": []}, "none"), ({"delta": 0.0}, "delta"), ({"seed": -1}, "seed"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_in_a_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        certify(cases.mlp().subject(), **wrong)


def test_a_network_in_place_of_a_subject_is_refused_and_all_means_all() -> None:
    with pytest.raises(Refusal, match="subject was a Linear"):
        heldout.certify(nn.Linear(2, 2))  # type: ignore[arg-type]
    assert families_named("all") == []
    assert {unit.name for unit in room.bounds_of([])} == set(units("bound"))


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    certify(cases.mlp().subject(), families="held-out", progress=lambda name, share: told.append((name, share)))
    assert [name for name, _ in told] == [unit.name for unit in room.bounds_of(["held-out"])]
    assert all(0 <= share < 1 for _, share in told)
