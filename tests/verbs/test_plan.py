"""The plan computes nothing and says what the audit will do."""

import pytest
from tests import cases
from torch import nn

from heldout.engine.subject import Subject
from heldout.records import Status
from heldout.verbs.audit import audit
from heldout.verbs.plan import plan


@pytest.mark.parametrize("name", ["mlp", "cnn", "token_transformer"])
def test_a_plan_calls_no_network(name: str) -> None:
    subject = cases.ALL[name]().subject()
    before = subject.population.tally.forward
    assert plan(subject).rows
    assert subject.population.tally.forward == before


def test_arithmetic_of_a_dense_network_is_counted_exactly() -> None:
    case = cases.linear()
    result = plan(case.subject(), only=["train-loss"])
    # one sweep, one product of [1, 8] by [8, 3] an example, two operations a product
    assert result.passes.forward == 1
    assert result.gigaflops == pytest.approx(len(case.train[1]) * 2 * 8 * 3 / 1e9)


@pytest.mark.parametrize("name", ["mlp", "token_transformer", "linear"])
def test_what_the_plan_calls_not_applicable_is_not_applicable(name: str) -> None:
    subject = cases.ALL[name]().subject(test=None, initial=None)
    rows = {row["name"]: row for row in plan(subject).rows}
    result = audit(subject, progress=False)
    absent = {name for name, reading in result.readings.items() if Status.NOT_APPLICABLE in reading.statuses}
    assert {name for name, row in rows.items() if row["kind"] == "measure" and not row["applicable"]} == absent
    assert all(rows[name]["reason"] for name in absent)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_plan_expects_about_what_the_audit_spends(name: str) -> None:
    subject = cases.ALL[name]().subject()
    expected, spent = plan(subject).passes, audit(subject, progress=False).passes
    assert spent.forward <= expected.forward + 3
    # a search that looks at a share of the data looks at eight examples at least, which is more of a small set
    assert expected.backward <= spent.backward <= expected.backward + 1


def test_a_network_that_looks_at_its_data_has_no_arithmetic_but_a_plan() -> None:
    class Peeking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 3)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.layer(x) if float(x.sum()) > 0 else -self.layer(x)

    result = plan(Subject(Peeking().eval(), cases.linear().train))
    assert result.gigaflops is None
    assert result.passes.forward > 0
