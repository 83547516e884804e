"""Bounds for graph convolutions: problems of known risk, a drawn graph, what the graph does to them."""

import numpy as np
import pytest
from heldout.datasets.stochastic_block_model import stochastic_block_model
from heldout.networks.graph_convolutional import graph_convolutional

import heldout
from heldout.bounds.paired_nodes import split_nodes
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.records import Status
from heldout.verbs.certified import Certificates
from heldout.verbs.simulate import simulate_family


def certified(diffusion: str, widths: tuple[int, ...] = ()) -> tuple[Certificates, float]:
    settings = {"nodes": 2000, "within": 0.03, "between": 0.003, "dimension": 8, "noise": 1.0}
    train, others = stochastic_block_model(labelled=1000, **settings)
    initial = Population.of(lambda: graph_convolutional(diffusion=diffusion, widths=widths, **settings), 1, seed=0)
    recipe = Recipe(optimizer="adam", lr=0.02, batch_size=100, steps=150)
    subject = heldout.Subject(fit(initial, train, recipe, seed=0).final, train, others, initial=initial)
    wrong = subject.population(others[0])[0].argmax(1) != others[1]
    return heldout.certify(subject, families=["graph"]), float(wrong.double().mean())


def test_averaging_over_neighbours_lowers_error_and_bound() -> None:
    (alone, error_alone), (averaged, error_averaged) = certified("none"), certified("normalised")
    name = "paired-rademacher"
    assert error_averaged < 0.05 < error_alone
    assert averaged[name][0].value < 0.9 * alone[name][0].value
    assert error_averaged <= averaged[name][0].value < 1
    assert averaged[name][0].status is Status.VALID
    assert averaged[name][0].certifies == "this network on the unlabelled nodes of its graph"
    # counting sees features alone, and so the same for both
    terms = [one["paired-counting"][0].terms["log of the labellings"] for one in (alone, averaged)]
    assert terms[0] == terms[1]


def test_a_hidden_layer_is_counted_as_all_labellings() -> None:
    found, _ = certified("normalised", (8,))
    assert found["paired-counting"][0].status is Status.VACUOUS
    assert found["paired-rademacher"][0].value > 0


def test_problems_and_coverage() -> None:
    needs, risks = split_nodes(np.random.default_rng(0), 500)
    assert (risks >= 0.5).all()  # what looked good on the labelled half is as bad on the other
    assert needs["node_margin_shares"].shares[:, 0] == pytest.approx(1 - risks)
    assert all(row["violations"] == 0 for row in simulate_family("graph", problems=500))
