"""A chain's numbers hang on seed, chain and step, and on nothing else."""

import torch

from heldout.engine.sampling.randomness import Streams


def test_the_same_again_and_another_elsewhere() -> None:
    one = Streams(0, 3).normal("noise", 5, 40)
    assert torch.equal(one, Streams(0, 3).normal("noise", 5, 40))
    others = [
        Streams(1, 3).normal("noise", 5, 40),
        Streams(0, 3).normal("noise", 6, 40),
        Streams(0, 3).normal("accept", 5, 40),
    ]
    assert all(not torch.equal(one, other) for other in others)
    assert not torch.equal(one[0], one[1])


def test_more_chains_leave_the_first_as_they_were() -> None:
    few, many = Streams(3, 2), Streams(3, 5)
    assert torch.equal(few.normal("noise", 1, 7, torch.float64), many.normal("noise", 1, 7, torch.float64)[:2])
    assert torch.equal(few.uniform("accept", 1), many.uniform("accept", 1)[:2])
    assert torch.equal(few.batch(4, 3, 10), many.batch(4, 3, 10)[:2])


def test_a_batch_has_distinct_examples_and_every_example_its_turn() -> None:
    """10,000 batches of three out of ten: each example in 3,000 of them within 5 standard deviations of 46."""
    batches = torch.cat([Streams(0, 10).batch(step, 3, 10) for step in range(1000)])
    assert all(len(row.unique()) == 3 for row in batches[:50])
    assert (torch.bincount(batches.flatten(), minlength=10) - 3000).abs().max() < 5 * 46


def test_the_numbers_have_their_laws() -> None:
    """40,000 numbers: the mean within 5 standard errors of 0 (failure probability 6e-7), the variance within 5 of 1."""
    drawn = Streams(0, 4).normal("noise", 0, 10_000).double()
    assert abs(float(drawn.mean())) < 5 / 200
    assert abs(float(drawn.var()) - 1) < 5 * 2**0.5 / 200
    uniform = torch.stack([Streams(0, 4).uniform("accept", step) for step in range(100)])
    assert float(uniform.min()) > 0
    assert float(uniform.max()) <= 1
    assert abs(float(uniform.mean()) - 0.5) < 5 / (12 * 400) ** 0.5
