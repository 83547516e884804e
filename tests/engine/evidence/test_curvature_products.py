"""Products with Hessian and Gauss-Newton matrix against dense ones in float64, however the work is cut."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle
from torch import Tensor

from heldout.engine.evidence import curvature_products
from heldout.engine.evidence.curvature_products import flat_magnitudes, products_of, weighted
from heldout.engine.subject import Examples, Subject

NAMES = ("mlp", "cnn", "transformer", "token_transformer", "lstm", "residual", "tied", "linear", "regression")
pytestmark = pytest.mark.filterwarnings("ignore:this network cannot be vectorised")


def vectors_for(subject: Subject, draws: int) -> Tensor:
    shape = (len(subject.population), draws, subject.population.size)
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def both_of(subject: Subject, vectors: Tensor) -> list[Tensor]:
    return [products_of(subject, slice(None), kind)(vectors) for kind in ("hessian", "gauss-newton")]


@pytest.mark.parametrize("name", NAMES)
def test_networks_against_dense_matrices(name: str) -> None:
    members = [getattr(cases, name)(seed=seed) for seed in (1, 0)]
    subject = cases.together(members)
    vectors = vectors_for(subject, 2)
    found = both_of(subject, vectors)
    for index, case in enumerate(members):
        rows = vectors[index].numpy()
        hessian = oracle.hessian(case.network, *case.train, case.loss, rows)
        gauss_newton = rows @ oracle.gauss_newton(case.network, *case.train, case.loss)
        for ours, expected in zip(found, (hessian, gauss_newton), strict=True):
            np.testing.assert_allclose(ours[index].numpy(), expected, atol=2e-5 * np.abs(expected).max())
            assert np.abs(expected).max() > 1e-3


def test_the_gauss_newton_matrix_is_not_the_hessian() -> None:
    subject = cases.mlp().subject()
    hessian, gauss_newton = both_of(subject, vectors_for(subject, 1))
    assert (hessian - gauss_newton).abs().max() > 0.01 * hessian.abs().max()


@pytest.mark.parametrize("name", ["mlp", "lstm"])
def test_it_does_not_matter_how_the_work_is_cut(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [getattr(cases, name)(seed=seed) for seed in range(2)]
    whole, vectors = cases.together(members), vectors_for(cases.together(members), 3)
    expected = both_of(whole, vectors)
    cut = cases.together(members, memory=20_000)
    for ours, theirs in zip(both_of(cut, vectors), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(curvature_products, "KEPT_BYTES", 0)  # graphs are made anew for every product
    for ours, theirs in zip(both_of(cut, vectors), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert cut.population.tally.forward > 3 * whole.population.tally.forward
    alone = products_of(whole, slice(1, 2), "hessian")(vectors[1:])
    torch.testing.assert_close(alone, expected[0][1:], rtol=1e-4, atol=1e-6)


def test_vectors_one_by_one_where_they_cannot_be_pulled_together(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = cases.mlp().subject()
    vectors = vectors_for(subject, 3)
    expected, plain, refused = both_of(subject, vectors), curvature_products.grad, []

    def stubborn(*given: object, **settings: object) -> object:
        if settings.get("is_grads_batched"):
            refused.append(1)
            raise RuntimeError("no batching rule")
        return plain(*given, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(curvature_products, "grad", stubborn)
    for ours, theirs in zip(both_of(subject, vectors), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    assert refused


def test_inputs_and_labels_of_their_own() -> None:
    case = cases.mlp()
    x, y = case.train
    other = (x.flip(0) * 0.5, y.roll(1))
    networks = [case.network, cases.mlp(seed=1).network]
    train = Examples(torch.stack([x, other[0]]), torch.stack([y, other[1]]), x_per_member=True, y_per_member=True)
    subject = Subject(networks, train)
    vectors = vectors_for(subject, 1)
    found = both_of(subject, vectors)
    for index, pair in enumerate(((x, y), other)):
        rows = vectors[index].numpy()
        hessian = oracle.hessian(networks[index], *pair, rows=rows)
        for ours, expected in zip(found, (hessian, rows @ oracle.gauss_newton(networks[index], *pair)), strict=True):
            np.testing.assert_allclose(ours[index].numpy(), expected, atol=2e-5 * np.abs(expected).max())


def test_passes_are_counted() -> None:
    subject = cases.together([cases.mlp(seed=seed) for seed in range(2)])
    product = products_of(subject, slice(None), "hessian")
    product(vectors_for(subject, 3))
    examples = 2 * len(subject.train)
    assert (subject.population.tally.forward, subject.population.tally.backward) == (
        examples,
        examples + 3 * 2 * examples,
    )


def test_weighted_is_between_two_diagonals() -> None:
    subject = cases.linear().subject()
    hessian = oracle.hessian(cases.linear().network, *cases.linear().train)
    c = oracle.magnitudes(cases.linear().network)
    vectors = vectors_for(subject, 2)
    product = weighted(products_of(subject, slice(None), "hessian"), flat_magnitudes(subject.population, slice(None)))
    np.testing.assert_allclose(product(vectors)[0].numpy(), vectors[0].numpy() @ (c[:, None] * hessian * c), atol=1e-5)
