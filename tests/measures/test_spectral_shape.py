"""Shape of the spectra against NumPy on the weight matrices, and what has no value."""

import numpy as np
import pytest
import torch
from tests.oracles import norms as oracle
from tests.oracles import tails
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.spectral_shape import matrix_entropy, mean, mp_soft_rank, rank_loss, spikes
from heldout.records import Status


def deep(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(14, 30), nn.ReLU(), nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 3))


def evidence_of(*networks: nn.Module) -> Evidence:
    return Evidence(Subject(list(networks), train=(torch.randn(6, 14), torch.arange(6) % 3)))


def spectra(network: nn.Module) -> list[np.ndarray]:
    return [np.linalg.svd(matrix, compute_uv=False) for matrix in oracle.weight_matrices(network).values()]


def test_on_networks() -> None:
    networks = [deep(0), deep(1)]
    with torch.no_grad():
        networks[1][2].weight[10:] = networks[1][2].weight[:10]  # rank 10 of 20
        networks[1][0].weight += 3 * torch.ones(30, 14)  # one direction far outside of the noise
    evidence = evidence_of(*networks)
    names = ("matrix-entropy", "rank-loss", "log-alpha-norm", "spikes", "mp-soft-rank")
    readings = {name: read_measure(find(name), evidence).value for name in names}
    for member, network in enumerate(networks):
        entropies, losses, norms = [], [], []
        for values in spectra(network):
            kept = values[values > np.finfo(np.float32).eps * 30 * values[0]]
            share = kept**2 / (kept**2).sum()
            entropies.append(-(share * np.log(share)).sum() / np.log(len(kept)))
            losses.append(1 - len(kept) / len(values))
            if len(values) >= 10:
                norms.append(np.log10(np.sum((values**2) ** tails.fit(kept**2).alpha)))
        assert readings["matrix-entropy"][member] == pytest.approx(np.mean(entropies), rel=1e-5)
        assert readings["rank-loss"][member] == pytest.approx(np.mean(losses), abs=1e-9)
        assert readings["log-alpha-norm"][member] == pytest.approx(np.mean(norms), rel=1e-4)
    assert readings["rank-loss"].tolist() == pytest.approx([0.0, (10 / 20) / 3])
    assert readings["spikes"][1] >= readings["spikes"][0] + 0.5
    assert readings["mp-soft-rank"][1] < readings["mp-soft-rank"][0]


def test_an_orthogonal_matrix_is_spread_out_and_a_product_of_two_vectors_is_not() -> None:
    floors = {"a": 1e-6}
    assert matrix_entropy({"a": torch.ones(7)}, floors).item() == pytest.approx(1.0)
    assert matrix_entropy({"a": torch.tensor([3.0, 0.0, 0.0])}, floors).isnan()
    near = matrix_entropy({"a": torch.tensor([1.0, 1e-3])}, floors).item()
    assert near == pytest.approx(-((1 - 1e-6) * np.log(1 - 1e-6) + 1e-6 * np.log(1e-6)) / np.log(2), rel=1e-4)


def test_rank_loss_counts_a_layer_of_zeros_as_lost() -> None:
    assert rank_loss({"a": torch.zeros(4), "b": torch.ones(4)}, {"a": 1e-6, "b": 1e-6}).item() == 0.5


def test_means_leave_out_what_is_absent_alone() -> None:
    assert mean([torch.tensor(1.0), torch.tensor(float("nan")), torch.tensor(3.0)]).item() == 2.0
    assert mean([]).isnan()
    zero = (torch.tensor(0.0), torch.tensor(0.0), torch.tensor(float("nan")))
    other = (torch.tensor(2.0), torch.tensor(1.0), torch.tensor(0.5))
    assert spikes({"a": zero, "b": other}).item() == 2.0
    assert mp_soft_rank({"a": zero, "b": other}).item() == 0.5


def test_short_layers_have_no_bulk() -> None:
    evidence = evidence_of(nn.Sequential(nn.Linear(14, 3)))
    for name in ("spikes", "mp-soft-rank", "log-alpha-norm"):
        assert read_measure(find(name), evidence).statuses == (Status.UNDEFINED,)
