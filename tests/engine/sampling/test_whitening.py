"""The change of variables: a square root of the inverse precision, for whatever rows of whatever groups."""

import torch

from heldout.engine.sampling.whitening import Whitening


def two_groups() -> tuple[Whitening, torch.Tensor]:
    """Maps of two groups in six dimensions with two stiff directions each; and the precisions they stand for."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(2, 6, 2, dtype=torch.float64, generator=generator)).Q
    precisions = torch.tensor([[50.0, 9.0], [400.0, 2.0]], dtype=torch.float64)
    gamma = torch.tensor([1.0, 2.0], dtype=torch.float64)
    rest = torch.einsum("gpk,gk,gqk->gpq", directions, precisions - gamma[:, None], directions)
    return Whitening(directions, precisions, gamma), rest + gamma[:, None, None] * torch.eye(6, dtype=torch.float64)


def test_twice_the_map_is_the_inverse_precision_and_once_back_undoes_it() -> None:
    maps, precision = two_groups()
    rows = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    group_of = torch.tensor([1, 0, 1, 1, 0])
    once = maps.apply(rows, group_of)
    twice = maps.apply(once, group_of)
    assert torch.allclose(torch.einsum("cpq,cq->cp", precision[group_of], twice), rows)
    assert torch.allclose(maps.apply(once, group_of, -1.0), rows)


def test_one_group_alone_is_the_same_map() -> None:
    maps, _ = two_groups()
    rows = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    alone = maps.subset(torch.tensor([1])).apply(rows, torch.zeros(3, dtype=torch.int64))
    assert torch.allclose(alone, maps.apply(rows, torch.ones(3, dtype=torch.int64)))


def test_the_longest_variance_is_that_of_a_direction_only_the_localiser_holds() -> None:
    assert two_groups()[0].longest.tolist() == [50.0, 200.0]
