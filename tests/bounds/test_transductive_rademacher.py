"""Transductive Rademacher bounds: the complexity of graph networks by search, invariances, orderings, refusals, a real subject."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

import heldout
from heldout.bounds.transductive_rademacher import (
    flattered,
    transductive_rademacher,
    transductive_rademacher_published,
)
from heldout.datasets.stochastic_block_model import stochastic_block_model
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.networks.graph_convolutional import graph_convolutional
from heldout.records import Bounded, NotApplicable, Status
from heldout.verbs.simulate import simulate_family

LOG_DELTA = math.log(0.05)
NEEDS = ("margins", "labelled_graph", "graph_path_norms")


def subject(steps: int = 60, *, scale: float = 1.0, loss: str = "cross-entropy", **settings: Any) -> Subject:
    known = {k: settings[k] for k in ("nodes", "classes", "noise") if k in settings}
    train, test = stochastic_block_model(labelled=settings.pop("labelled", 100), **{"nodes": 200, **known})
    torch.manual_seed(0)
    network = graph_convolutional(**{"nodes": 200, **settings})
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            scores = network(train[0])
            if loss == "cross-entropy":
                value = nn.functional.cross_entropy(scores, train[1])
            else:
                value = nn.functional.binary_cross_entropy_with_logits(scores[:, 0], train[1].float())
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(scale)
    return Subject(network.eval(), train, test, loss=loss)


def needs(one: Subject) -> dict[str, Any]:
    evidence = Evidence(one)
    return {name: evidence[name] for name in NEEDS}


def asked(one: Subject, published: bool = False) -> Bounded:
    return (transductive_rademacher_published if published else transductive_rademacher)(
        **needs(one), log_delta=LOG_DELTA
    )


@pytest.mark.parametrize("widths", [(), (3,), (3, 2)])
@pytest.mark.parametrize("diffusion", ["plain", "normalised"])
def test_norms_and_complexity_typed_again(widths: tuple[int, ...], diffusion: str) -> None:
    one = subject(3, widths=widths, diffusion=diffusion, labelled=60)
    weights = [p.detach().double().numpy() for p in one.population.member(0).parameters()]
    weights[-1] = weights[-1][1:] - weights[-1][:1]
    norm = np.linalg.norm(weights[0], axis=1)
    for weight in weights[1:]:
        norm = np.abs(weight) @ norm
    s, sx = (b.double().numpy() for b in one.population.member(0).buffers())
    mixing = max(np.abs(s).sum(0).max(), np.abs(s).sum(1).max())
    expected = norm[0] * (1.5 * mixing) ** len(widths) * math.sqrt(2 / (60 * 140)) * np.linalg.norm(sx)
    terms = asked(one).terms
    assert terms["complexity at margin 1"][0] == pytest.approx(expected, rel=1e-5)
    assert terms["path norm"][0] == pytest.approx(norm[0], rel=1e-6)


@pytest.mark.parametrize("diffusion", ["plain", "residual"])
def test_no_search_finds_more_than_the_bound_on_the_complexity(diffusion: str) -> None:
    # for random signs, hidden units w of norm 1 are searched by gradient ascent; the path norm is 1 with one unit
    network = graph_convolutional(nodes=40, diffusion=diffusion, within=0.3, between=0.1, dimension=3)
    s, sx = (b.double() for b in network.buffers())
    m, u = 15, 25
    p, q = m * u / 40**2, 1 / m + 1 / u
    draws = torch.Generator().manual_seed(0)
    uniform = torch.rand(100, 40, generator=draws, dtype=torch.float64)
    signs = (uniform < p).double() - (uniform > 1 - p).double()
    found = torch.zeros(100, dtype=torch.float64)
    for direction in (1.0, -1.0):
        w = torch.randn(100, 20, 3, generator=draws, dtype=torch.float64)
        for _ in range(200):
            w = (w / w.norm(dim=2, keepdim=True)).requires_grad_()
            with torch.enable_grad():
                value = direction * torch.einsum(
                    "ds,st,dkt->dk", signs, s, torch.relu(torch.einsum("tj,dkj->dkt", sx, w))
                )
                (slope,) = torch.autograd.grad(value.sum(), w)
            w = (w + 0.3 * slope / (slope.norm(dim=2, keepdim=True) + 1e-12)).detach()
        found = torch.maximum(found, value.detach().amax(1))
    searched = q * float(found.mean())
    mixing = float(torch.maximum(s.sum(0).max(), s.sum(1).max()))
    linear = math.sqrt(2 / (m * u)) * float(sx.norm())
    assert 0.1 * linear < searched < 1.5 * mixing * linear


def test_only_the_ratio_of_norm_and_margin_matters() -> None:
    base, louder = asked(subject(widths=(4,))), asked(subject(widths=(4,), scale=8.0))
    assert louder.value[0] == pytest.approx(base.value[0], rel=1e-6)
    assert louder.terms["margin"][0] == pytest.approx(64 * base.terms["margin"][0], rel=1e-4)


def test_one_score_of_the_binary_loss_and_two_are_one_function() -> None:
    one = subject(30, widths=(4,), outputs=1, loss="binary-cross-entropy")
    network = graph_convolutional(nodes=200, widths=(4,))
    hidden, last = (p.detach() for p in one.population.member(0).parameters())
    with torch.no_grad():
        for parameter, value in zip(
            network.parameters(), (hidden, torch.cat([torch.zeros_like(last), last])), strict=True
        ):
            parameter.copy_(value)
    two = Subject(network.eval(), (one.train.x, one.train.y))
    assert asked(two).value[0] == pytest.approx(asked(one).value[0], rel=1e-6)


def test_several_classes_pay_for_their_scores() -> None:
    one = needs(subject(20, widths=(4,), outputs=3, classes=3))
    said = transductive_rademacher(**one, log_delta=LOG_DELTA)
    graph = one["labelled_graph"]
    plain = one["graph_path_norms"] * 1.5 * graph.diffusion_norm * math.sqrt(2 / (100 * 100)) * graph.data_norm
    assert said.terms["complexity at margin 1"] == pytest.approx(6 * plain)


def test_simulated_not_empty_and_the_published_one_is_larger() -> None:
    rows = {row["bound"]: row for row in simulate_family("graph", problems=300)}
    for name in ("transductive-rademacher", "transductive-rademacher-published", "transductive-vc"):
        assert rows[name]["violations"] == 0  # the bounds are loose: by more than chance could hide
    drawn, risks = flattered(np.random.default_rng(5), 200)
    ours, theirs = (
        bound(**drawn, log_delta=LOG_DELTA).value
        for bound in (transductive_rademacher, transductive_rademacher_published)
    )
    assert (risks < ours).all()
    assert (ours < 1).all()
    assert (theirs > ours + 0.3).all()
    assert (risks > (drawn["margins"].numpy() <= 0).mean(1)).mean() > 0.5  # the choice did flatter itself
    assert (transductive_rademacher(**drawn, log_delta=3 * LOG_DELTA).value > ours).all()


def test_a_coin_for_labels_leaves_nothing_to_certify() -> None:
    train, test = stochastic_block_model(labelled=100, nodes=200)
    coin = torch.from_numpy(np.random.default_rng(0).integers(0, 2, 100))
    said = heldout.certify(
        Subject(graph_convolutional(nodes=200, widths=()), (train[0], coin), test), families=["graph"]
    )
    assert all(one.value is not None and one.value > 0.4 for one in said)


def test_a_real_subject_one_certificate_is_not_empty_and_none_is_wrong() -> None:
    one = subject(150, nodes=1200, labelled=600, widths=(), noise=0.3)
    assert one.test is not None
    wrong = float((one.population(one.test.x)[0].argmax(1) != one.test.y).double().mean())
    found = {each.name: each for each in heldout.certify(one, families=["graph"])}
    assert found["transductive-rademacher"].status is Status.VALID
    assert all(each.value is not None and each.value >= wrong for each in found.values())
    assert "no label" in found["transductive-rademacher"].certifies
    assert math.isclose(sum(line.delta for line in found["transductive-rademacher"].ledger), 0.05)


def test_what_is_no_graph_network_or_no_draw_is_told_why() -> None:
    absent = heldout.certify(cases.mlp().subject(), families=["graph"]).absent
    assert "graph convolutional networks" in absent["transductive-rademacher"]
    network = graph_convolutional(nodes=20).eval()
    y = torch.tensor([0, 1, 0, 1])
    for nodes, word in (([1, 2, 2, 3], "without replacement"), ([1, 2, 3, -1], "below 0")):
        with pytest.raises(NotApplicable, match=word):
            needs(Subject(network, (torch.tensor(nodes), y)))
    with pytest.raises(NotApplicable, match="nothing left"):
        needs(Subject(network, (torch.arange(20), torch.arange(20) % 2)))
