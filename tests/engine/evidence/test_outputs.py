"""Outputs, losses, errors and margins against one example at a time in float64."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle

from heldout.engine.evidence import outputs
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Passes

NAMES = ("mlp", "cnn", "transformer", "token_transformer", "residual", "tied")


@pytest.mark.parametrize("name", NAMES)
def test_outputs_losses_errors_and_margins(name: str) -> None:
    case = cases.ALL[name]()
    evidence = Evidence(case.subject())
    for prefix, (x, y) in (("", case.train), ("test_", case.test)):
        logits = oracle.outputs(case.network, x)
        scale = np.abs(logits).max()
        assert np.allclose(evidence[f"{prefix}logits"][0].numpy(), logits, rtol=1e-5, atol=1e-6 * scale)
        losses = oracle.cross_entropies(logits, y)
        assert np.allclose(evidence[f"{prefix}losses"][0].numpy(), losses, rtol=1e-5, atol=1e-6 * scale)
        assert evidence[f"{prefix}errors"][0].tolist() == oracle.errors(logits, y).tolist()
        assert torch.equal(evidence[f"{prefix}labels"], y.unsqueeze(0))
    margins = oracle.margins(oracle.outputs(case.network, case.train[0]), case.train[1])
    assert np.allclose(evidence["margins"][0].numpy(), margins, rtol=1e-5, atol=1e-6 * scale)
    assert evidence["margin_10th_percentile"].item() == pytest.approx(np.quantile(margins, 0.1), rel=1e-5, abs=1e-6)
    assert evidence["train_size"] == len(case.train[1])
    for name in ("outputs", "losses", "margins"):
        assert evidence[name].dtype == torch.float64


def test_a_population_says_what_its_members_say() -> None:
    members = [cases.cnn(seed) for seed in range(3)]
    together = Evidence(cases.together(members))
    for name in ("logits", "test_losses", "margins", "errors"):
        alone = torch.cat([Evidence(member.subject())[name] for member in members])
        assert torch.allclose(together[name], alone, rtol=1e-4, atol=1e-5), name


def test_members_with_labels_of_their_own() -> None:
    members = [cases.mlp(seed) for seed in range(2)]
    x, y = members[0].train
    labels = torch.stack([y, y.roll(1)])
    both = members[0].subject(
        network=[member.network for member in members], initial=None, train=_examples(x, labels), test=None
    )
    evidence = Evidence(both)
    for index, member in enumerate(members):
        expected = oracle.margins(oracle.outputs(member.network, x), labels[index])
        assert np.allclose(evidence["margins"][index].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_binary_logit_stands_as_two_classes() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Linear(8, 1)
    x, y = cases.mlp().train[0], cases.mlp().train[1] % 2
    evidence = Evidence(Subject(network, (x, y), loss="binary-cross-entropy"))
    score = oracle.outputs(network, x)[:, 0]
    pair = np.stack([np.zeros_like(score), score], axis=1)
    assert np.allclose(evidence["logits"][0].numpy(), pair, rtol=1e-5, atol=1e-6)
    assert np.allclose(evidence["losses"][0].numpy(), oracle.cross_entropies(pair, y), rtol=1e-5, atol=1e-6)
    signed = np.where(y.numpy() == 1, score, -score)
    assert np.allclose(evidence["margins"][0].numpy(), signed, rtol=1e-5, atol=1e-6)


def test_outputs_are_computed_once_and_counted() -> None:
    evidence = Evidence(cases.mlp().subject())
    for name in ("losses", "margins", "errors", "logits", "margin_10th_percentile"):
        evidence[name]
    assert evidence.spent == Passes(1.0, 0.0)
    evidence["test_losses"]
    assert evidence.spent == Passes(1.0 + 90 / 60, 0.0)


def test_the_percentile_of_the_margins_is_interpolated() -> None:
    margins = torch.tensor([[5.0, -1.0, 3.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    assert outputs.margin_10th_percentile(margins).tolist() == pytest.approx([-1.0 + 0.2 * 4.0, 0.0])
    assert outputs.margin_10th_percentile(margins[:, :1]).tolist() == [5.0, 0.0]


def test_a_tie_for_the_largest_score_goes_to_the_first_class_and_has_no_margin() -> None:
    tied, labels = torch.zeros(1, 2, 3, dtype=torch.float64), torch.tensor([[0, 1]])
    assert outputs.errors(tied, labels).tolist() == [[0.0, 1.0]]
    assert outputs.margins(tied, labels).tolist() == [[0.0, 0.0]]


def test_what_is_absent_is_not_applicable() -> None:
    with pytest.raises(NotApplicable, match="no test data"):
        Evidence(cases.mlp().subject(test=None))["test_losses"]
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["margins"]
    assert Evidence(cases.regression().subject())["losses"].shape == (1, 60)


def _examples(x: torch.Tensor, y: torch.Tensor) -> object:
    from heldout.engine.subject import Examples

    return Examples(x, y, y_per_member=True)
