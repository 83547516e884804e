"""Statistics of the weights against NumPy, their order and names, and their chunks."""

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence import weight_statistics as module
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.weight_statistics import STATISTICS, statistics_of
from heldout.engine.subject import Subject


def oracle(weights: np.ndarray) -> list[float]:
    """Unterthiner et al. 2020: mean, standard deviation, percentiles 0, 25, 50, 75, 100."""
    return [weights.mean(), weights.std(), *np.percentile(weights, [0, 25, 50, 75, 100])]


@pytest.mark.parametrize("shape", [(1,), (2,), (7, 3), (4, 3, 5)])
@pytest.mark.parametrize("together", [1, 2**22])
def test_every_shape(shape: tuple[int, ...], together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    weights = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    expected = [oracle(row.double().numpy()) for row in weights]
    np.testing.assert_allclose(statistics_of(weights), expected, rtol=1e-12, atol=1e-12)


def test_the_small_network_of_the_paper_has_56_features() -> None:
    convolutions = [nn.Conv2d(inputs, 16, 3) for inputs in (1, 16, 16)]
    network = nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    assert sum(p.numel() for p in network.parameters()) == 4970  # as published
    subject = Subject([network, network], train=(torch.randn(4, 1, 12, 12), torch.arange(4)))
    found = Evidence(subject)["weight_statistics"]
    assert found.values.shape == (2, 56)
    assert len(set(found.names)) == 56
    assert found.names[:8] == (*(f"0.weight:{statistic}" for statistic in STATISTICS), "0.bias:mean")
    np.testing.assert_allclose(
        found.values[1, 7:14], oracle(convolutions[0].bias.detach().double().numpy()), rtol=1e-12
    )


def test_batch_norms_are_not_folded() -> None:
    case = cases.cnn()
    found = Evidence(case.subject())["weight_statistics"]
    place = found.names.index("1.weight:mean")
    assert found.values[0, place].item() == pytest.approx(
        case.network.get_parameter("1.weight").mean().item(), rel=1e-6
    )
    assert torch.isfinite(found.values).all()
