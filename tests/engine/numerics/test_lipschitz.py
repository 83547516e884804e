"""Upper bounds against the exact constant of small networks, and against each other."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from heldout.engine.numerics.lipschitz import absolute_product, combettes_pesquet, product_of_norms, quadratic

BOUNDS = (product_of_norms, combettes_pesquet, absolute_product, quadratic)


def chains(seed: int, sizes: tuple[int, ...], members: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(members, after, before, generator=generator, dtype=torch.float64)
        for before, after in itertools.pairwise(sizes)
    ]


def steepest(matrices: list[Tensor], member: int) -> float:
    """Largest norm of ``W_L D ... D W_1`` over all diagonals of zeros and ones: of one hidden layer, what a bound can reach."""
    widths = [one.shape[1] for one in matrices[:-1]]
    norms = []
    for signs in itertools.product((0.0, 1.0), repeat=sum(widths)):
        whole, at = matrices[0][member], 0
        for width, one in zip(widths, matrices[1:], strict=True):
            whole = one[member] @ (whole * torch.tensor(signs[at : at + width], dtype=torch.float64).unsqueeze(1))
            at += width
        norms.append(torch.linalg.matrix_norm(whole, ord=2).item())
    return max(norms)


@pytest.mark.parametrize("sizes", [(2, 3, 2), (3, 5, 1), (2, 3, 3, 2)])
def test_every_bound_is_one(sizes: tuple[int, ...]) -> None:
    for seed in range(3):
        matrices = chains(seed, sizes)
        for member in range(2):
            exact = steepest(matrices, member)
            for bound in BOUNDS:
                assert bound(matrices)[member] >= exact * (1 - 1e-9), f"{bound.__name__}, seed {seed}"


def test_the_quadratic_bound_reaches_the_constant_of_a_small_network() -> None:
    matrices = [
        torch.randn(1, o, i, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        for i, o in ((2, 3), (3, 2))
    ]
    exact = steepest(matrices, 0)
    assert quadratic(matrices, steps=200).item() == pytest.approx(exact, rel=1e-3)
    assert combettes_pesquet(matrices).item() > 1.01 * exact


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), inner=st.integers(1, 5), layers=st.integers(1, 3))
def test_none_is_above_the_product_that_should_not_be(seed: int, inner: int, layers: int) -> None:
    matrices = chains(seed, (3, *[inner] * layers, 2))
    product = product_of_norms(matrices)
    assert (combettes_pesquet(matrices) <= product * (1 + 1e-9)).all()
    start, after = quadratic(matrices, steps=0), quadratic(matrices, steps=10)
    assert (start <= product * (1 + 1e-9)).all()
    assert (after <= start * (1 + 1e-12)).all()


def test_formulas_of_two_and_three_layers_by_hand() -> None:
    one, two, three = (one[0] for one in chains(4, (3, 4, 4, 2)))
    norm = lambda a: torch.linalg.matrix_norm(a, ord=2)  # noqa: E731
    matrices = [one.unsqueeze(0), two.unsqueeze(0), three.unsqueeze(0)]
    expected = (
        norm(three @ two @ one) + norm(three @ two) * norm(one) + norm(three) * norm(two @ one)
        + norm(three) * norm(two) * norm(one)
    ) / 4  # fmt: skip
    torch.testing.assert_close(combettes_pesquet(matrices)[0], expected)
    torch.testing.assert_close(absolute_product(matrices)[0], norm(three.abs() @ two.abs() @ one.abs()))
    # ECLipsE-Fast: T = I / largest eigenvalue of W X W', M = 2 T - T W X W' T
    x = torch.eye(3, dtype=torch.float64)
    for weight in (one, two):
        form = weight @ x @ weight.T
        t = 1 / torch.linalg.eigvalsh(form)[-1]
        x = torch.linalg.inv(2 * t * torch.eye(4, dtype=torch.float64) - t * form * t)
    torch.testing.assert_close(quadratic(matrices, steps=0)[0].square(), torch.linalg.eigvalsh(three @ x @ three.T)[-1])


def test_one_layer_is_its_own_norm_and_a_chain_of_identities_stretches_nothing() -> None:
    single = chains(5, (4, 3))
    for bound in (product_of_norms, combettes_pesquet, quadratic):
        torch.testing.assert_close(bound(single), torch.linalg.matrix_norm(single[0], ord=2))
    eye = [torch.eye(3, dtype=torch.float64).unsqueeze(0)] * 3
    for bound in BOUNDS:
        assert bound(eye).item() == pytest.approx(1.0, rel=1e-6)


def test_members_do_not_meet_and_layers_that_are_zero_pass_nothing() -> None:
    matrices = chains(6, (3, 4, 2), members=3)
    for member in range(3):
        alone = quadratic([one[member : member + 1] for one in matrices])
        torch.testing.assert_close(quadratic(matrices)[member : member + 1], alone, rtol=1e-7, atol=0.0)
    nothing = [matrices[0] * 0, matrices[1]]
    assert quadratic(nothing, steps=3).max().item() < 1e-100
