"""The verdict says what the readings say, and no more."""

from tests import cases

from heldout.records import Reading
from heldout.verbs.audit import audit
from heldout.verbs.verdict import verdict


def test_the_headline_gives_accuracy_gap_and_their_intervals() -> None:
    case = cases.mlp()
    result = audit(case.subject(), progress=False)
    accuracy, gap = result["test-accuracy"], result["accuracy-gap"]
    assert f"{accuracy.value[0]:.1%}" in result.verdict["headline"]
    assert f"{100 * gap.value[0]:.1f} points" in result.verdict["headline"]
    assert result.verdict["low"] <= result.verdict["gap"] <= result.verdict["high"]


def test_the_certified_risk_is_the_one_named_beforehand() -> None:
    result = audit(cases.mlp().subject(), progress=False)
    named = next(c for c in result.certificates if c.name == "clopper-pearson")
    assert result.verdict["certified_risk"] == named.value
    assert any("Certified" in sentence for sentence in result.verdict["sentences"])


def test_without_test_data_it_promises_nothing() -> None:
    result = audit(cases.mlp().subject(test=None), progress=False)
    assert "cannot be measured" in result.verdict["headline"]
    assert result.verdict["gap"] is None
    assert not any("Certified" in sentence for sentence in result.verdict["sentences"])


def test_refused_certificates_are_said() -> None:
    result = audit(cases.mlp().subject(selected_on_test=True), progress=False)
    assert any("Nothing is certified" in sentence for sentence in result.verdict["sentences"])


def test_a_regression_speaks_of_losses() -> None:
    result = audit(cases.regression().subject(loss_range=(0.0, 20.0)), progress=False)
    assert "loss" in result.verdict["headline"]
    assert "accuracy" not in " ".join([result.verdict["headline"], *result.verdict["sentences"]])


def test_a_population_speaks_of_all_its_networks() -> None:
    result = audit(cases.together([cases.mlp(seed=i) for i in range(3)]), progress=False)
    gap = result["accuracy-gap"]
    assert result.verdict["headline"].startswith("These 3 networks get on average")
    assert (result.verdict["low"], result.verdict["high"]) == (gap.low.min(), gap.high.max())
    certified = next(sentence for sentence in result.verdict["sentences"] if "Certified" in sentence)
    assert "for each network on its own" in certified


def test_groups_are_told_apart() -> None:
    pair = [cases.generalizer(), cases.memorizer()]
    subject = cases.together(pair, train=pair[0].train, groups=["true", "random"])
    result = audit(subject, progress=False)
    for member, name in enumerate(("true", "random")):
        assert f"{result['test-accuracy'].value[member]:.1%} ({name})" in result.verdict["headline"]


def test_a_gap_asked_for_alone_is_said_without_the_accuracies() -> None:
    result = audit(cases.mlp().subject(), only=["accuracy-gap"], progress=False)
    assert f"{100 * result['accuracy-gap'].value[0]:.1f} points" in result.verdict["headline"]


def test_a_gap_that_was_not_asked_for_is_not_blamed_on_the_data() -> None:
    result = audit(cases.mlp().subject(), only=["param-norm"], progress=False)
    assert result.verdict["headline"] == "The gap was not asked for."
    assert not any("training data alone" in sentence for sentence in result.verdict["sentences"])


def test_a_gap_without_a_value_gives_its_own_reason() -> None:
    result = audit(cases.regression().subject(), only=["loss-gap"], progress=False)
    row = {**result["loss-gap"].rows()[0], "value": None, "status": "not-finite", "reason": "the losses overflow"}
    said = verdict(cases.regression().subject(), {"loss-gap": Reading.from_rows([row])}, [], 0.05)
    assert said["headline"] == "The gap cannot be measured: the losses overflow."
