"""Evidence is computed lazily, once; what is absent is remembered; passes are counted."""

from typing import Any

import pytest
import torch
from tests import cases

from heldout.catalog import Unit, units
from heldout.engine.evidence.resolving import Evidence, closure, demand, expected_passes, thorough
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Passes


class Watched(Evidence):
    """Evidence that writes down what it computes, when it is there."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.computed: list[str] = []

    def _compute(self, unit: Unit, arguments: dict[str, Any]) -> Any:
        value = super()._compute(unit, arguments)
        self.computed.append(unit.function.__name__)
        return value


def bare(name: str = "mlp") -> Subject:
    case = cases.ALL[name]()
    return Subject(case.network, train=case.train)


def test_nothing_is_computed_until_somebody_asks() -> None:
    subject = cases.mlp().subject()
    evidence = Watched(subject)
    before = subject.population.tally.forward
    assert evidence.computed == []
    assert evidence.spent == Passes()
    assert subject.population.tally.forward == before


def test_each_is_computed_once_with_what_it_rests_on() -> None:
    evidence = Watched(cases.mlp().subject())
    first = evidence["margins"]
    assert evidence.computed == ["outputs", "logits", "labels", "margins"]
    assert evidence["margins"] is first
    evidence["losses"]
    assert evidence.computed == ["outputs", "logits", "labels", "margins", "losses"]


def test_the_roots_are_what_was_given() -> None:
    subject = cases.mlp().subject()
    evidence = Evidence(subject, seed=17)
    assert evidence["subject"] is subject
    assert evidence["seed"] == 17


def test_what_is_absent_is_remembered_and_says_why() -> None:
    evidence = Watched(bare())
    with pytest.raises(NotApplicable, match="no test data; pass test=") as first:
        evidence["test_errors"]
    with pytest.raises(NotApplicable) as second:
        evidence["test_errors"]
    assert second.value is first.value
    assert evidence.computed == []
    with pytest.raises(NotApplicable, match="initialisation"):
        evidence["weights_at_init"]


def test_a_requirement_is_asked_before_anything_is_computed() -> None:
    case = cases.regression()
    evidence = Watched(case.subject())
    with pytest.raises(NotApplicable, match="regression"):
        evidence["margins"]
    assert "outputs" not in evidence.computed


def test_an_error_in_a_strangers_code_is_not_taken_for_absence() -> None:
    evidence = Evidence(bare())
    with pytest.raises(KeyError):
        evidence["no_such_evidence"]


def test_passes_are_counted_where_networks_are_called() -> None:
    subject = cases.together([cases.mlp(seed=seed) for seed in (0, 1, 2)])
    evidence = Evidence(subject)
    evidence["losses"]
    assert evidence.spent == Passes(1.0, 0.0)
    evidence["gradient_norms"]
    assert evidence.spent == Passes(2.0, 1.0)
    evidence["test_outputs"]  # 90 test examples are one and a half sweeps over 60 training examples
    assert evidence.spent == Passes(3.5, 1.0)
    assert evidence.alone(("losses",))[0] == Passes(1.0, 0.0)
    assert evidence.alone(("losses", "gradient_norms"))[0] == Passes(2.0, 1.0)
    assert evidence.alone(("train_size",))[0] == Passes()
    assert evidence.alone(("losses",))[1] >= 0.0


def test_what_was_computed_by_another_is_not_counted_twice() -> None:
    subject = cases.mlp().subject()
    evidence = Evidence(subject)
    for name in ("logits", "outputs", "margins", "errors"):
        evidence[name]
    assert evidence.spent == Passes(1.0, 0.0)


def test_what_an_earlier_process_spent_is_added() -> None:
    evidence = Evidence(bare(), spent_before=Passes(5.0, 2.0))
    evidence["losses"]
    assert evidence.spent == Passes(6.0, 2.0)


def test_no_gradients_are_kept() -> None:
    with torch.enable_grad():
        assert not Evidence(bare())["losses"].requires_grad


@pytest.mark.parametrize(
    ("needs", "order"),
    [
        (("labels",), ("labels",)),
        (("margins",), ("outputs", "logits", "labels", "margins")),
        (("labels", "margins"), ("labels", "outputs", "logits", "margins")),
        ((), ()),
    ],
)
def test_closure_puts_what_is_needed_first(needs: tuple[str, ...], order: tuple[str, ...]) -> None:
    assert closure(needs) == order


def test_every_evidence_can_be_resolved_down_to_the_roots() -> None:
    for unit in units("evidence").values():
        order = closure((unit.function.__name__,))
        assert order[-1] == unit.function.__name__
        assert len(set(order)) == len(order)


def test_expected_passes_share_what_is_shared() -> None:
    assert expected_passes(("margins",)) == Passes(1.0, 0.0)
    assert expected_passes(("margins", "losses", "gradient_norms")) == Passes(2.0, 1.0)
    assert expected_passes(()) == Passes()


@pytest.mark.parametrize("unit", units("evidence").values(), ids=units("evidence"))
def test_a_requirement_is_silent_or_says_what_to_do(unit: Unit) -> None:
    for subject in (bare(), cases.regression().subject()):
        try:
            demand(unit, subject)
        except NotApplicable as absent:
            said = absent
            assert said.reason.strip()
            assert said.do.strip()


def test_a_complete_audit_of_one_network_stays_within_its_budget() -> None:
    """At most 60 forward and 8 backward sweeps, by count; what is declared is what is spent, to a tenth."""
    case = cases.cnn()
    evidence = Evidence(case.subject(test=tuple(part[:60] for part in case.test)))
    read = [unit for unit in units("measure").values() if not thorough(unit.needs)]
    needs = tuple(dict.fromkeys(need for unit in read for need in unit.needs))
    for need in needs:
        try:
            evidence[need]
        except NotApplicable:
            continue
    assert evidence.spent.forward <= 60
    assert evidence.spent.backward <= 8
    declared = expected_passes(needs)
    assert declared.forward >= 0.5 * evidence.spent.forward
    assert declared.backward >= 0.5 * evidence.spent.backward
