"""Streams are named by what is drawn: reproducible, and independent of one another."""

import itertools

import torch

from heldout.engine.population import stream


def test_the_same_keys_give_the_same_stream_whatever_was_drawn_before() -> None:
    first = torch.randn(5, generator=stream(0, "noise", 3))
    torch.manual_seed(99)
    torch.randn(7)
    assert torch.equal(first, torch.randn(5, generator=stream(0, "noise", 3)))


def test_the_global_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    torch.randn(5, generator=stream(0, "noise"))
    assert torch.equal(before, torch.get_rng_state())


def test_a_stream_never_changes_between_versions() -> None:
    """SHA-256 of the keys; a stored audit must be repeatable."""
    assert stream(0, "noise", 3, "layers.0.weight").initial_seed() == 8264126526535364685


def test_every_key_counts() -> None:
    keys: list[tuple[int | str, ...]]
    keys = [(), (0,), (1,), ("0",), (0, 0), (0, "a"), ("a", 0), (0, "a", "b"), (0, "ab"), (-1,), (10,)]
    seeds = [stream(*key).initial_seed() for key in keys]
    assert len(set(seeds)) == len(seeds)


def test_streams_are_uncorrelated() -> None:
    """Sixteen streams of 4,000 normal draws: 120 correlations of standard deviation 1/sqrt(4000) = 0.0158.

    The largest stays below 6 standard deviations; by chance one would not with probability 120 * 2e-9 < 1e-6.
    """
    draws = [torch.randn(4000, dtype=torch.float64, generator=stream(seed, "noise", draw))
             for seed in range(4) for draw in range(4)]  # fmt: skip
    worst = max(abs(float((a * b).mean())) for a, b in itertools.combinations(draws, 2))
    assert worst < 6 / 4000**0.5
