"""Parameters as trained."""

import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence


def test_they_are_those_of_the_networks_batch_norms_and_all() -> None:
    case = cases.cnn()
    found = Evidence(case.subject())["trained_parameters"]
    expected = dict(case.network.named_parameters())
    assert found.keys() == expected.keys() == Evidence(case.subject())["mean_gradient"].keys()
    assert all(torch.equal(found[name][0], tensor) for name, tensor in expected.items())
