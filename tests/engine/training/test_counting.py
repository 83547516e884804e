"""Counted randomness: the published SplitMix64, uniform, normal, and the same however it is asked for."""

import numpy as np
import torch
from scipy import stats

from heldout.engine.training.counting import keys, mixed, normal, uniform


def test_it_is_splitmix64() -> None:
    def reference(state: int) -> int:
        mask = 2**64 - 1
        z = (state + 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    states = [0, 1, 2**63 - 1, -1, -(2**63), 123456789]
    assert [x % 2**64 for x in mixed(torch.tensor(states)).tolist()] == [reference(s % 2**64) for s in states]
    assert reference(0) == 0xE220A8397B1DCDAF  # the generator's first output from seed 0


def test_uniform_and_normal_have_their_laws() -> None:
    """Kolmogorov-Smirnov at 1e-7 each, with fixed keys: passes or fails for ever."""
    key = torch.tensor(99)
    u, z = uniform(key, (200, 500), 3).numpy(), normal(key, (200, 500), 3).numpy()
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-7
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-7
    assert 0 <= u.min() <= u.max() < 1
    assert abs(np.corrcoef(u.ravel()[:-1], u.ravel()[1:])[0, 1]) < 0.02


def test_members_steps_seeds_and_purposes_differ_and_vmap_changes_nothing() -> None:
    numbers = torch.tensor([5, 6])
    rows = torch.vmap(lambda key: uniform(key, (40,), 1))(keys(0, numbers, 7))
    assert torch.equal(rows[1], uniform(keys(0, numbers[1:], 7)[0], (40,), 1))
    others = [keys(0, numbers, 8), keys(1, numbers, 7), keys(0, numbers + 2, 7)]
    for key in (*[other[0] for other in others], keys(0, numbers, 7)[1]):
        assert not torch.allclose(rows[0], uniform(key, (40,), 1))
    assert not torch.allclose(rows[0], uniform(keys(0, numbers, 7)[0], (40,), 2))
