"""Critical samples and loss sensitivity: against linear networks, whose boxes are solved exactly, and against autograd."""

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

import heldout
from heldout.engine.evidence.input_search import BOX, changed_classes
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.measures.critical_samples import loss_sensitivity_gini
from heldout.records import Status


def linear() -> nn.Module:
    network = nn.Linear(6, 3).double()
    with torch.no_grad():
        network.weight.copy_(torch.randn(3, 6, generator=torch.Generator().manual_seed(2)))
    return network


@pytest.mark.parametrize("radius", [0.02, 0.1, 0.3])
def test_of_linear_networks_the_search_finds_exactly_what_is_there(radius: float) -> None:
    """Another class lies in the box where |w_y - w_k|_1 r exceeds the lead for some k, up to the search's noise."""
    network = linear()
    x = torch.randn(400, 6, generator=torch.Generator().manual_seed(1)).double()
    scores = network(x).detach()
    own = scores.argmax(1)
    lead = scores.gather(1, own[:, None]) - scores
    reach = (network.weight[own][:, None] - network.weight).abs().sum(-1).detach() * radius
    exact = ((lead < reach) & (torch.arange(3) != own[:, None])).any(1)
    both = Population([network, network])
    found = changed_classes(both, x.expand(2, *x.shape), radius, seed=0)
    assert torch.equal(found[0], found[1])
    assert not bool((found[0].bool() & ~exact).any())  # nothing outside the box
    assert float((found[0].bool() & exact).sum() / exact.sum()) > 0.9


def test_the_reading_looks_within_a_twentieth_of_the_range() -> None:
    x = torch.linspace(-1, 1, 300)[:, None]
    network = nn.Linear(1, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        network.bias.zero_()
    subject = heldout.Subject(network, train=(x, (x[:, 0] < 0).long()))
    evidence = Evidence(subject, seed=0)
    share = float(evidence["critical_samples"].mean())
    assert share == pytest.approx(BOX, abs=0.1)  # the boundary is at 0, the range 2: |x| < 0.1, a tenth of the line
    assert evidence.spent.forward <= 2
    assert evidence.spent.backward <= 1


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_sensitivity_is_the_mean_l1_norm_of_autograd_s_gradients(name: str) -> None:
    case = cases.ALL[name]()
    x, y = case.train
    audit = heldout.audit(case.subject(), only=["loss-sensitivity", "loss-sensitivity-gini"], progress=False)
    norms = []
    chosen = torch.randperm(len(y), generator=heldout.engine.population.stream(0, "input gradients"))[
        : min(256, len(y) // 2)
    ]
    for index in chosen:
        one = x[index : index + 1].clone().requires_grad_()
        loss = nn.functional.cross_entropy(case.network(one), y[index : index + 1])
        norms.append(float(torch.autograd.grad(loss, one)[0].abs().sum()))
    assert audit["loss-sensitivity"].value[0] == pytest.approx(np.mean(norms), rel=1e-4)
    ordered = np.sort(norms)
    gini = sum(abs(a - b) for a in ordered for b in ordered) / (2 * len(ordered) ** 2 * ordered.mean())
    assert audit["loss-sensitivity-gini"].value[0] == pytest.approx(gini, rel=1e-3)


def test_tokens_and_regression_cannot_have_it() -> None:
    for subject in (
        cases.token_transformer().subject(),
        cases.ALL["regression"]().subject() if "regression" in cases.ALL else None,
    ):
        if subject is not None:
            reading = heldout.audit(subject, only=["critical-sample-ratio"], progress=False)["critical-sample-ratio"]
            assert reading.statuses[0] is Status.NOT_APPLICABLE


def test_gini_of_equal_parts_and_of_one_that_has_all() -> None:
    assert float(loss_sensitivity_gini(torch.ones(10))) == pytest.approx(0)
    assert float(loss_sensitivity_gini(torch.eye(10)[0])) == pytest.approx(0.9)
