"""Pruned networks: the message comes back, places are paid by realised bits, and the divergence bound is above the integral."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import nn

from heldout.engine.compression import pruning as room
from heldout.engine.compression.pruning import Kept, Layer, blurred_nats, header, largest, quantised, read_header
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Recipe, fit
from heldout.records import Refusal

DRAW = np.random.default_rng(0)


def layer(size: int, kept: int, levels: int) -> Layer:
    mask = np.zeros(size, dtype=bool)
    mask[DRAW.permutation(size)[:kept]] = True
    counts = [1 + (kept - levels) // levels] * levels if levels else []
    if levels:
        counts[-1] += kept - sum(counts)
    return Layer(mask, np.sort(DRAW.normal(size=levels)).astype(np.float16), tuple(counts))


@pytest.mark.parametrize("noise", [0, 3])
def test_what_was_sent_comes_back_whatever_follows(noise: int) -> None:
    layers = [layer(500, 40, 4), layer(30, 0, 0), layer(100, 100, 3), layer(7, 1, 1)]
    message = header(layers, noise)
    again, said, used = read_header([*message.bits, *DRAW.integers(0, 2, 70).tolist()], [500, 30, 100, 7])
    assert (said, used) == (noise, len(message))
    assert sum(message.parts.values()) == len(message)
    for one, other in zip(layers, again, strict=True):
        assert np.array_equal(one.kept, other.kept)
        assert one.levels.tolist() == other.levels.tolist()
        assert one.counts == other.counts
    assert message.parts["levels"] == 16 * (4 + 3 + 1)
    entropy = -sum(k * math.log2(k / n) + (n - k) * math.log2(1 - k / n) for n, k in [(500, 40), (7, 1)])
    assert entropy <= message.parts["places"] <= entropy + 3 * 2.001


def test_no_message_begins_another() -> None:
    words = set()
    for places in range(8):
        kept = np.array([bool(places >> bit & 1) for bit in range(3)])
        for levels in range(1, max(1, int(kept.sum())) + 1):
            count = int(kept.sum())
            counts = (1,) * (levels - 1) + (count - levels + 1,) if count else ()
            own = Layer(kept, np.arange(levels if count else 0, dtype=np.float16), counts)
            words |= {"".join(map(str, header([own], noise).bits)) for noise in range(4)}
    assert len(words) == 4 * (1 + 3 + 3 * 2 + 3)
    ordered = sorted(words)
    assert not any(b.startswith(a) for a, b in itertools.pairwise(ordered))


@pytest.mark.parametrize("wrong", [[0] * 9, [1] * 60])
def test_a_message_that_does_not_decode_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: list[int]) -> None:
    monkeypatch.setattr(room, "arithmetic_code", lambda symbols, counts: wrong)
    with pytest.raises(Refusal, match="decoded to something else"):
        header([layer(50, 10, 2)], 0)


def integral(layer: Layer, scale: float) -> float:
    """The divergence itself, weight by weight, by quadrature."""
    levels, counts = layer.levels.astype(float), np.array(layer.counts, dtype=float)
    total = 0.0
    for centre, count in zip(levels, counts, strict=True):

        def inside(x: float, centre: float = centre) -> float:
            own = stats.norm.logpdf(x, centre, scale)
            mixture = np.logaddexp.reduce(np.log(counts / counts.sum()) + stats.norm.logpdf(x, levels, scale))
            return math.exp(own) * (own - mixture)

        total += count * integrate.quad(inside, centre - 10 * scale, centre + 10 * scale, limit=200)[0]
    return total


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0, 3.0])
def test_the_divergence_is_at_most_what_is_said_and_at_most_the_code(scale: float) -> None:
    own = Layer(np.ones(30, dtype=bool), np.array([-1.5, -0.5, 0.5, 1.25], dtype=np.float16), (5, 12, 10, 3))
    said = blurred_nats(own, scale)
    ideal = -sum(count * math.log(count / 30) for count in own.counts)
    assert integral(own, scale) - 1e-6 <= said <= ideal + 1e-9
    if scale == 0.05:
        assert said == pytest.approx(ideal, rel=1e-9)
    if scale == 3.0:
        assert said < 0.4 * ideal  # noise pays


@given(
    levels=st.lists(st.integers(-40, 40), min_size=2, max_size=5, unique=True),
    data=st.data(),
    scale=st.floats(0.01, 20),
)
def test_noise_never_costs_more_than_the_levels_code(levels: list[int], data: st.DataObject, scale: float) -> None:
    counts = data.draw(st.lists(st.integers(1, 50), min_size=len(levels), max_size=len(levels)))
    own = Layer(np.ones(sum(counts), dtype=bool), np.array(levels, dtype=np.float16), tuple(counts))
    assert blurred_nats(own, scale) >= -1e-9
    assert blurred_nats(own, scale) <= -sum(c * math.log(c / sum(counts)) for c in counts) + 1e-6
    assert blurred_nats(own, 2 * scale) <= blurred_nats(own, scale) + 1e-9


def test_one_level_needs_no_code() -> None:
    assert blurred_nats(Layer(np.ones(3, dtype=bool), np.ones(1, dtype=np.float16), (3,)), 0.1) == 0


def test_the_largest_are_kept_in_every_member_and_stay_alone_in_training() -> None:
    networks = Population.of(lambda: nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2)), 3, seed=1)
    masks = largest(networks, 0.25)
    for member in range(3):
        flat = nn.utils.parameters_to_vector(networks.member(member).parameters()).abs()
        kept = torch.cat([mask[member].flatten() for mask in masks.values()]).bool()
        assert int(kept.sum()) == round(0.25 * len(flat))
        assert flat[kept].min() > flat[~kept].max()
    start = networks.with_tensors({n: w * masks[n] for n, w in networks.parameters.items()}, networks.buffers)
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    recipe = Recipe(optimizer="adam", lr=0.1, batch_size=20, steps=5, stop="steps", interventions=(Kept(masks),))
    final = fit(start, as_examples((x, (x[:, 0] > 0).long()), "data"), recipe, seed=0).final
    for name, weights in final.parameters.items():
        assert bool((weights[masks[name] == 0] == 0).all())
        assert not torch.equal(weights, start.parameters[name])


def test_quantised_weights_are_the_nearest_levels() -> None:
    weights = torch.from_numpy(DRAW.normal(size=(8, 9))).float()
    mask = (weights.abs() > 0.5).float()
    own, snapped = quantised(weights, mask, 3, rounds=50)
    assert len(own.levels) == 3
    assert bool((snapped[mask == 0] == 0).all())
    levels = torch.from_numpy(own.levels.astype(np.float32))
    nearest = levels[(weights[mask == 1][:, None] - levels).abs().argmin(1)]
    assert torch.equal(snapped[mask == 1], nearest)
    assert own.counts == tuple(int((nearest == level).sum()) for level in levels)
    nothing, zero = quantised(weights, torch.zeros(8, 9), 3)
    assert (nothing.counts, float(zero.abs().sum())) == ((), 0.0)
