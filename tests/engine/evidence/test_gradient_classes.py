"""The pass over formed gradients: its cost, its chunks, labels of every member's own, and who cannot have classes."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence import gradient_classes as module
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Passes


@pytest.mark.parametrize("memory", [1, 30_000])
def test_cost_and_chunks(memory: int) -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    whole, cut = (Evidence(cases.together(members, **change)) for change in ({}, {"memory": memory}))
    for one, other in zip(cut["gradient_classes"], whole["gradient_classes"], strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    for name, second in whole["gradient_second_moments"].items():
        assert torch.allclose(cut["gradient_second_moments"][name], second, rtol=1e-4, atol=1e-9)
    assert whole.spent == Passes(1.0, 1.0)


def test_second_moments_add_up_to_the_squared_norms() -> None:
    evidence = Evidence(cases.cnn().subject())
    total = sum(second.flatten(1).sum(1) for second in evidence["gradient_second_moments"].values())
    assert torch.allclose(total, evidence["gradient_norms"].square().mean(1), rtol=1e-5)


def test_every_member_may_have_its_own_labels() -> None:
    members = [cases.mlp(seed) for seed in range(2)]
    x, y = members[0].train
    own = torch.stack([y, y.flip(0)])
    subject = members[0].subject(
        network=[m.network for m in members], initial=None, test=None, train=Examples(x, own, y_per_member=True)
    )
    together = Evidence(subject)["gradient_classes"]
    for index, member in enumerate(members):
        alone = Evidence(member.subject(initial=None, test=None, train=(x, own[index])))["gradient_classes"]
        for one, other in zip(alone, together, strict=True):
            assert torch.allclose(one[0], other[index], rtol=1e-5, atol=1e-9)


def test_classes_that_do_not_fit_are_refused_and_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 10)
    evidence = Evidence(cases.mlp().subject())
    with pytest.raises(NotApplicable, match="do not fit"):
        evidence["gradient_classes"]
    assert evidence["gradient_details"].classes is None
    assert evidence["gradient_second_moments"]


def test_one_class_is_no_classification_of_classes() -> None:
    subject = Subject(nn.Linear(3, 2), (torch.randn(4, 3), torch.zeros(4, dtype=torch.long)))
    with pytest.raises(NotApplicable, match="2 classes or more"):
        Evidence(subject)["gradient_classes"]
