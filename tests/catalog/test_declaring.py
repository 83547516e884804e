"""A decorator leaves the function as it is and keeps what its signature cannot say."""

import pytest
import torch
from torch import Tensor

from heldout.catalog import Unit, bound, dataset, evidence, figure, measure, network, profile
from heldout.catalog.declaring import MARK
from heldout.records import Direction, NotApplicable, Passes


def a_formula(weights: Tensor, logits: Tensor, train_size: int = 3, *, order: float = 2.0) -> Tensor:
    """What it is.

    The rest,
      indented.
    """
    return weights + logits


def unit_of(function: object) -> Unit:
    unit: Unit = getattr(function, MARK)
    return unit


def test_needs_settings_and_words_come_from_the_function() -> None:
    declared = measure(source="A, eq. (1)", direction=Direction.HIGHER_IS_BETTER)(a_formula)
    assert declared is a_formula
    assert declared(torch.tensor(1.0), torch.tensor(2.0)).item() == 3.0
    unit = unit_of(declared)
    assert unit.name == "a-formula"
    assert unit.kind == "measure"
    assert unit.needs == ("weights", "logits")
    assert dict(unit.settings) == {"order": 2.0}
    assert unit.summary == "What it is."
    assert unit.about == "The rest,\n  indented."
    assert unit.family == "test_declaring"
    assert unit.source == "A, eq. (1)"
    assert unit.direction is Direction.HIGHER_IS_BETTER


def test_a_measure_has_defaults_that_say_little() -> None:
    fields = unit_of(measure(source="A", direction=Direction.NEITHER)(a_formula)).fields
    assert fields["range"] == (0.0, float("inf"))
    assert fields["invariances"] == ()
    assert (fields["undefined"], fields["unit"], fields["stacked"], fields["waives"]) == ("", "", "", {})


def test_a_measure_keeps_what_it_is_told() -> None:
    told = measure(source="A", direction=Direction.NEITHER, range=(-1.0, 1.0), invariances=("logit-shift",),
                   undefined="no", unit_of_value="nats", stacked="why", waives={"a": "b"})  # fmt: skip
    fields = unit_of(told(a_formula)).fields
    assert fields["range"] == (-1.0, 1.0)
    assert fields["invariances"] == ("logit-shift",)
    assert (fields["undefined"], fields["unit"], fields["stacked"], fields["waives"]) == (
        "no",
        "nats",
        "why",
        {"a": "b"},
    )


def test_evidence_declares_its_cost_and_what_it_requires() -> None:
    def requires(subject: object) -> None:
        raise NotApplicable("never", do="nothing")

    fields = unit_of(evidence(forward=2, backward=0.5, thorough=True, requires=requires)(a_formula)).fields
    assert fields["passes"] == Passes(2.0, 0.5)
    assert fields["thorough"]
    assert not unit_of(evidence()(a_formula)).fields["thorough"]
    assert fields["requires"] is requires
    assert unit_of(evidence()(a_formula)).fields["passes"] == Passes()


@pytest.mark.parametrize(
    ("decorator", "kind", "field", "value"),
    [
        (profile(source="A"), "profile", "source", "A"),
        (
            bound(source="A", certifies="this network", statement="over the sample"),
            "bound",
            "certifies",
            "this network",
        ),
        (figure(title="T", caption="C"), "figure", "caption", "C"),
        (dataset(source="A"), "dataset", "source", "A"),
        (network(source="A"), "network", "source", "A"),
    ],
)
def test_other_kinds(decorator: object, kind: str, field: str, value: str) -> None:
    assert callable(decorator)
    unit = unit_of(decorator(a_formula))
    assert unit.kind == kind
    assert unit.fields[field] == value
    assert unit.direction is Direction.NEITHER
