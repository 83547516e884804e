"""Largest eigenvalue and trace against closed forms, enumeration of all sign vectors, and dense matrices."""

import itertools

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence import curvature as module
from heldout.engine.evidence.curvature import curvature_of, fits, largest_of, probes, starts, trace_of
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Status

EVIDENCE = ("hessian_curvature", "ggn_curvature", "adaptive_hessian_curvature", "adaptive_ggn_curvature")


def linear_models() -> dict[str, tuple[Subject, np.ndarray, np.ndarray]]:
    """Subject, Hessian in closed form, and the weights in its order; the Gauss-Newton matrix of a linear model is its Hessian."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(40, 5)) * [3, 1, 1, 0.5, 0.1], rng.normal(size=6)
    line = nn.Linear(5, 1).double()
    line.weight.data, line.bias.data = torch.tensor(w[None, :5]), torch.tensor(w[5:])
    several = nn.Linear(5, 3, bias=False).double()
    several.weight.data = torch.tensor(rng.normal(size=(3, 5)))
    scores, inputs = x @ w[:5] + w[5], torch.tensor(x)
    targets, binary, classes = rng.normal(size=40), rng.integers(0, 2, 40), rng.integers(0, 3, 40)
    matrix = several.weight.detach().numpy()
    return {
        "linear": (
            Subject(line, (inputs, torch.tensor(targets)), loss="squared-error"), oracle.of_linear_regression(x), w
        ),
        "logistic": (
            Subject(line, (inputs, torch.tensor(binary)), loss="binary-cross-entropy"),
            oracle.of_logistic_regression(x, scores), w,
        ),
        "softmax": (
            Subject(several, (inputs, torch.tensor(classes))), oracle.of_softmax_regression(x, x @ matrix.T), matrix.ravel()
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["linear", "logistic", "softmax"])
@pytest.mark.parametrize("evidence", EVIDENCE)
def test_linear_models_in_closed_form(name: str, evidence: str) -> None:
    subject, matrix, w = linear_models()[name]
    if "adaptive" in evidence:
        matrix = np.abs(w)[:, None] * matrix * np.abs(w)
    found = Evidence(subject)[evidence]
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert found.settled.item()
    assert found.largest.item() == pytest.approx(eigenvalues[-1], rel=1e-5)
    assert found.residual.item() <= 1e-3 * eigenvalues[-1]
    trace = trace_of(module.Curvature(*(part[0] for part in found)))
    error = abs(trace.value.item() - np.trace(matrix))
    assert error <= 6 * trace.standard_error.item() + 1e-9 * np.trace(matrix)
    assert trace.standard_error.item() < 0.03 * np.trace(matrix)  # almost all of it stands in the Krylov space


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_all_sign_vectors_give_the_trace_exactly(steps: int) -> None:
    rng = np.random.default_rng(steps)
    root = rng.normal(size=(8, 8))
    matrix = torch.tensor(root + root.T)
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=8)), dtype=torch.float64)
    start = torch.tensor(rng.normal(size=(1, 1, 8)))
    found = curvature_of(lambda v: v @ matrix, start, signs.unsqueeze(0), steps=steps)
    trace = (found.captured + found.remainders.mean(1)).item()
    assert trace == pytest.approx(np.trace(matrix), abs=1e-10)
    assert found.remainders.std() > 0.1
    assert found.captured.item() != pytest.approx(np.trace(matrix))


def test_networks_against_dense_matrices() -> None:
    members = [cases.mlp(seed=seed) for seed in range(2)]
    evidence = Evidence(cases.together(members))
    for index, case in enumerate(members):
        c = oracle.magnitudes(case.network)
        matrices = {
            "hessian": oracle.hessian(case.network, *case.train),
            "ggn": oracle.gauss_newton(case.network, *case.train),
        }
        for name, matrix in matrices.items():
            for prefix, dense in (("", matrix), ("adaptive_", c[:, None] * matrix * c)):
                found = evidence[f"{prefix}{name}_curvature"]
                top = np.linalg.eigvalsh(dense)[-1]
                assert found.largest[index].item() == pytest.approx(top, rel=1e-4)
                trace = trace_of(module.Curvature(*(part[index] for part in found)))
                # A t-distributed number of 11 degrees of freedom is beyond 9 with a chance below 3e-6; the seed is fixed.
                assert abs(trace.value.item() - np.trace(dense)) < 9 * trace.standard_error.item()


def test_the_standard_error_is_the_spread_over_seeds() -> None:
    matrix = torch.tensor(oracle.gauss_newton(cases.mlp().network, *cases.mlp().train))
    population = cases.mlp().subject().population
    found = [
        curvature_of(lambda v: v @ matrix, starts(population, 1, seed), probes(population, 1, 12, seed))
        for seed in range(60)
    ]
    traces = [trace_of(module.Curvature(*(part[0] for part in each))) for each in found]
    values = np.array([trace.value.item() for trace in traces])
    said = np.sqrt(np.mean([trace.standard_error.item() ** 2 for trace in traces]))
    # The spread of 60 normal numbers is within a factor 1.6 of their deviation but for a chance below 1e-6.
    assert 1 / 1.6 < said / values.std(ddof=1) < 1.6
    # Their mean is that of an unbiased estimate: beyond 5 of its standard errors with a chance below 1e-6.
    assert abs(values.mean() - matrix.trace().item()) < 5 * values.std(ddof=1) / np.sqrt(60)


def test_the_krylov_space_takes_most_of_the_variance() -> None:
    matrix = torch.tensor(oracle.gauss_newton(cases.mlp().network, *cases.mlp().train))
    population = cases.mlp().subject().population
    signs = probes(population, 1, 12, 0)
    with_space = curvature_of(lambda v: v @ matrix, starts(population, 1, 0), signs).remainders.std()
    assert with_space < 0.2 * (signs * (signs @ matrix)).sum(-1).std()  # Hutchinson alone


def test_a_search_without_enough_steps_gives_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.curvature_of, "__kwdefaults__", {"steps": 3})
    reading = read_measure(find("hessian-top-eigenvalue"), Evidence(cases.mlp().subject()))
    assert reading.statuses == (Status.NOT_CONVERGED,)
    trace = read_measure(find("hessian-trace"), Evidence(cases.mlp().subject()))
    assert trace.statuses == (Status.OK,)  # unbiased from whatever space


def test_bases_that_do_not_fit_together_are_made_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [cases.mlp(seed=seed) for seed in range(3)]
    whole = Evidence(cases.together(members))["hessian_curvature"]
    monkeypatch.setattr(module, "BASIS_BYTES", 2 * 64 * 387 * 8)
    assert [len(range(3)[group]) for group in module.groups_of(cases.together(members).population, 64)] == [2, 1]
    cut = Evidence(cases.together(members))["hessian_curvature"]
    for ours, theirs in zip(cut, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_a_network_that_diverged_has_no_number_and_the_others_keep_theirs() -> None:
    subject = cases.together([cases.mlp(seed=seed) for seed in range(2)])
    alone = [read_measure(find(name), Evidence(subject)) for name in ("hessian-trace", "effective-dimensionality")]
    broken = cases.together([cases.mlp(seed=seed) for seed in range(2)])
    broken.population.parameters["0.weight"][1, 0, 0] = torch.nan
    for before in alone:
        after = read_measure(find(before.name), Evidence(broken))
        assert after.value[0] == pytest.approx(before.value[0], rel=1e-5)
        assert after.statuses[1] in (Status.NOT_FINITE, Status.NOT_CONVERGED)


def test_a_network_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fits(cases.mlp().subject())
    monkeypatch.setattr(module, "LARGEST", 100)
    with pytest.raises(NotApplicable, match="387 parameters are more than 100"):
        fits(cases.mlp().subject())


def test_streams_do_not_depend_on_how_many_draws_follow() -> None:
    population = cases.mlp().subject().population
    assert torch.equal(probes(population, 1, 2, 3)[0], probes(population, 4, 5, 3)[2, :2])
    assert probes(population, 1, 5, 3).unique().tolist() == [-1.0, 1.0]
    assert not torch.equal(probes(population, 1, 2, 3), probes(population, 1, 2, 4))
    assert not torch.equal(starts(population, 1, 3), starts(population, 1, 4))


def test_what_readings_are_made_of() -> None:
    two, rest = torch.tensor(2.0), torch.tensor([0.0, 0.0, 3.0])
    found = module.Curvature(two, two / 4, torch.tensor(False), captured=two, remainders=rest)
    trace, largest = trace_of(found), largest_of(found)
    assert (trace.value.item(), trace.standard_error.item()) == (3.0, 1.0)  # 3 / sqrt(3) / sqrt(3)
    numbers: list[Tensor] = [largest.value, largest.low, largest.high]
    assert [number.item() for number in numbers] == [2.0, 2.0, 2.5]
    assert not largest.converged.item()
