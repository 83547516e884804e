"""Layers' laws: what is read, the norms above, memorised labels in the outputs, and what has none."""

import math

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence.layer_laws import LayerDivergences, LayerInformation
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.records import NotApplicable


def test_values_are_inputs_hidden_layers_and_outputs_of_the_same_examples() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=3)
    for name, (x, _) in (("layer_values", case.train), ("unseen_layer_values", case.test)):
        values = evidence[name]
        chosen = torch.randperm(len(x), generator=stream(3, "representations"))
        assert next(iter(values)) == "input"
        assert list(values)[-1] == "output"
        assert torch.equal(values["input"][0], x[chosen])
        with torch.no_grad():
            assert torch.allclose(values["output"][0], case.network(x[chosen]).double(), atol=1e-5)
            hidden = case.network[:2](x[chosen])  # type: ignore[index]
        assert torch.allclose(values[list(values)[1]][0], hidden, atol=1e-5)


def test_the_products_are_of_the_layers_above() -> None:
    case = cases.mlp()
    found: LayerDivergences = Evidence(case.subject())["layer_divergences"]
    norms = [
        torch.linalg.matrix_norm(p.detach().double(), ord=2).item() for p in case.network.parameters() if p.ndim == 2
    ]
    assert found.layers[0] == "input"
    assert found.product[0] == pytest.approx([math.prod(norms[i:]) for i in range(len(norms) + 1)], rel=1e-5)


def test_memorised_labels_are_seen_in_the_outputs_and_not_in_the_inputs() -> None:
    case = cases.memorizer()
    labels = torch.randint(
        3, (90,), generator=torch.Generator().manual_seed(8)
    )  # of unseen inputs as random as of seen ones
    found: LayerDivergences = Evidence(case.subject(test=(case.test[0], labels)))["layer_divergences"]
    z = (found.wasserstein - found.wasserstein_by_chance)[0] / found.wasserstein_spread[0]
    assert z[-1] > 4
    assert z[-1] > z[0] + 2
    assert abs(z[0]) < 4
    assert found.divergence[0, -1] > found.divergence_by_chance[0, -1] + 2 * found.divergence_spread[0, -1]
    assert found.examples == (60, 90)


def test_members_alone_and_together_agree() -> None:
    members = [cases.mlp(0), cases.mlp(1)]
    together, alone = Evidence(cases.together(members)), Evidence(members[1].subject())
    for name in ("layer_divergences", "conditional_layer_information"):
        one, two = alone[name], together[name]
        for field in ("wasserstein", "divergence_by_chance", "product", "lower", "upper", "standard_error"):
            if hasattr(one, field):
                assert getattr(two, field)[1] == pytest.approx(getattr(one, field)[0], rel=1e-4, abs=1e-6)


def test_information_lies_between_and_below_the_ceiling() -> None:
    found: LayerInformation = Evidence(cases.mlp().subject())["conditional_layer_information"]
    assert (found.lower <= found.upper).all()
    assert (found.lower <= found.ceiling[:, None] + 1e-12).all()
    assert found.ceiling == pytest.approx([math.log(20)])  # 60 examples of three classes
    assert (found.standard_error > 0).all()
    assert np.isfinite(found.upper).all()


def test_what_has_none_says_so() -> None:
    for subject, reason in (
        (cases.linear().subject(), "hidden layer"),
        (cases.token_transformer().subject(), "one tensor"),
        (cases.regression().subject(), "regression"),
    ):
        with pytest.raises(NotApplicable, match=reason):
            Evidence(subject)["layer_values"]
    for subject in (cases.mlp().subject(test=None), cases.mlp().subject(selected_on_test=True)):
        with pytest.raises(NotApplicable):
            Evidence(subject)["layer_divergences"]
