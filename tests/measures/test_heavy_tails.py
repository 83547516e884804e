"""Tail exponents against the loop over all starts, and the tables of the spectra."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from tests.oracles import tails
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


def deep(seed: int) -> nn.Module:
    """Layers of 12 (twice), 3 eigenvalues: the last is too short for a tail."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(14, 12), nn.ReLU(), nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 3))


def evidence_of(*networks: nn.Module) -> Evidence:
    return Evidence(Subject(list(networks), train=(torch.randn(6, 14), torch.arange(6) % 3)))


def laws(spectra: list[np.ndarray]) -> tuple[float, float]:
    """Mean exponent of the layers of ten or more, and its standard error."""
    fits = [tails.fit(values**2) for values in spectra if len(values) >= 10]
    error = math.sqrt(sum(fit.standard_error**2 for fit in fits)) / len(fits)
    return sum(fit.alpha for fit in fits) / len(fits), error


def test_alpha_and_its_reference_on_networks() -> None:
    networks = [deep(0), deep(1)]
    evidence = evidence_of(*networks)
    alpha, random, excess = (read_measure(find(n), evidence) for n in ("alpha", "alpha-at-random", "alpha-excess"))
    weighted = read_measure(find("alpha-weighted"), evidence)
    for member, network in enumerate(networks):
        values = [np.linalg.svd(matrix, compute_uv=False) for matrix in oracle.weight_matrices(network).values()]
        mean, error = laws(values)
        assert alpha.value[member] == pytest.approx(mean, rel=1e-5)
        assert alpha.standard_error[member] == pytest.approx(error, rel=1e-5)
        reference, spread = laws([each[member].numpy() for each in evidence["block_spectra_at_random"].values()])
        assert random.value[member] == pytest.approx(reference, rel=1e-5)
        assert random.standard_error[member] == pytest.approx(spread, rel=1e-5)
        assert excess.value[member] == pytest.approx(mean - reference, rel=1e-4)
        assert excess.standard_error[member] == pytest.approx(math.hypot(error, spread), rel=1e-5)
        long = [each for each in values if len(each) >= 10]
        product = np.mean([tails.fit(each**2).alpha * math.log10(each[0] ** 2) for each in long])
        assert weighted.value[member] == pytest.approx(product, rel=1e-5)


def test_layers_without_a_tail_are_left_out_and_none_is_no_number() -> None:
    for name in ("alpha", "alpha-at-random", "alpha-excess", "alpha-weighted"):
        reading = read_measure(find(name), Evidence(cases.cnn().subject()))  # 6, 8 and 3 eigenvalues
        assert reading.statuses == (Status.UNDEFINED,)
        assert "ten eigenvalues" in reading.reasons[0]
    flat = deep(2)
    nn.init.eye_(flat[0].weight)  # all eigenvalues equal: its layer has no exponent, the other has
    reading = read_measure(find("alpha"), evidence_of(flat, deep(3)))
    values = np.linalg.svd(oracle.weight_matrices(flat)["2.weight"], compute_uv=False)
    assert reading.value[0] == pytest.approx(tails.fit(values**2).alpha, rel=1e-5)
    assert reading.statuses == (Status.OK, Status.OK)


def test_a_heavy_tail_stands_below_its_reference() -> None:
    network = deep(4)
    heavy = torch.linalg.qr(torch.randn(14, 12))[0].T * torch.logspace(1, -1, 12)[:, None]
    network[0].weight.data = heavy
    network[2].weight.data = heavy[:, :12].repeat(2, 1)[:20]
    assert read_measure(find("alpha-excess"), evidence_of(network)).value.item() < 0


def test_table_of_layers() -> None:
    networks = [deep(seed) for seed in range(9)]
    table = read_profile(find("layer-spectra"), evidence_of(*networks))
    assert len(table.rows) == 8 * 3  # the ninth member is not shown
    row = next(row for row in table.rows if row["member"] == 7 and row["layer"] == "2.weight")
    matrix = oracle.weight_matrices(networks[7])["2.weight"]
    values = np.linalg.svd(matrix, compute_uv=False)
    law = tails.fit(values**2)
    expected = {
        "rows": 20, "columns": 12, "spectral_norm": values[0], "stable_rank": (values**2).sum() / values[0] ** 2,
        "frobenius_norm": np.linalg.norm(matrix), "alpha": law.alpha, "alpha_standard_error": law.standard_error,
        "tail_size": law.size,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert row["alpha_at_random"] > 1
    short = next(row for row in table.rows if row["layer"] == "4.weight")
    assert short["alpha"] is None
    assert short["alpha_at_random"] is None
    assert short["spectral_norm"] > 0


def test_table_of_singular_values() -> None:
    torch.manual_seed(5)
    network = nn.Sequential(nn.Linear(14, 300), nn.ReLU(), nn.Linear(300, 300), nn.ReLU(), nn.Linear(300, 3))
    evidence = evidence_of(network)
    table = read_profile(find("spectrum"), evidence)
    rows = [row for row in table.rows if row["layer"] == "2.weight"]
    assert len(rows) <= 60
    assert [rows[0]["rank"], rows[-1]["rank"]] == [1, 300]
    values = np.linalg.svd(oracle.weight_matrices(network)["2.weight"], compute_uv=False)
    assert [row["singular_value"] for row in rows] == pytest.approx([values[row["rank"] - 1] for row in rows], rel=1e-5)
    reference = evidence["block_spectra_at_random"]["2.weight"][0]
    assert [row["reference"] for row in rows] == [reference[row["rank"] - 1].item() for row in rows]
    assert [row["rank"] for row in table.rows if row["layer"] == "4.weight"] == [1, 2, 3]


def test_alpha_weighted_by_the_size_of_the_tails() -> None:
    networks = [deep(6), deep(7)]
    reading = read_measure(find("alpha-per-eigenvalue"), evidence_of(*networks))
    for member, network in enumerate(networks):
        values = [np.linalg.svd(matrix, compute_uv=False) for matrix in oracle.weight_matrices(network).values()]
        fits = [tails.fit(each**2) for each in values if len(each) >= 10]
        total = sum(fit.size for fit in fits)
        expected = sum(fit.size * fit.alpha for fit in fits) / total
        error = math.sqrt(sum(fit.size * (fit.alpha - 1) ** 2 for fit in fits)) / total
        assert reading.value[member] == pytest.approx(expected, rel=1e-5)
        assert reading.standard_error[member] == pytest.approx(error, rel=1e-5)
        assert reading.high[member] == pytest.approx(expected + 1.96 * error, rel=1e-5)
        assert reading.low[member] == pytest.approx(max(1, expected - 1.96 * error), rel=1e-5)
    assert read_measure(find("alpha-per-eigenvalue"), Evidence(cases.cnn().subject())).statuses == (Status.UNDEFINED,)


def test_alpha_of_convolutions_by_position() -> None:
    torch.manual_seed(8)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 12), nn.Linear(12, 2))
    evidence = Evidence(Subject(network, train=(torch.randn(6, 3, 4, 4), torch.arange(6) % 2)))
    weight = network[0].weight.detach().double().numpy()
    pooled = np.concatenate([np.linalg.svd(weight[:, :, a, b], compute_uv=False) for a in range(3) for b in range(3)])
    dense = np.linalg.svd(network[3].weight.detach().double().numpy(), compute_uv=False)
    fits = [tails.fit(values**2) for values in (pooled, dense)]  # 27 and 12 eigenvalues; as one matrix it has 5
    reading = read_measure(find("alpha-by-position"), evidence)
    assert reading.value[0] == pytest.approx(np.mean([fit.alpha for fit in fits]), rel=1e-5)
    error = math.sqrt(sum(fit.standard_error**2 for fit in fits)) / 2
    assert reading.standard_error[0] == pytest.approx(error, rel=1e-5)
    assert read_measure(find("alpha"), evidence).value[0] == pytest.approx(fits[1].alpha, rel=1e-5)


def test_gates_of_a_recurrent_layer_are_layers() -> None:
    torch.manual_seed(9)

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.GRU(12, 14, batch_first=True), nn.Linear(14, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.body(x)[0][:, -1])

    network = Last()
    evidence = Evidence(Subject(network, train=(torch.randn(6, 3, 12), torch.arange(6) % 2)))
    gates = [
        part for name in ("weight_ih_l0", "weight_hh_l0") for part in network.get_parameter(f"body.{name}").chunk(3)
    ]
    fits = [tails.fit(np.linalg.svd(gate.detach().double().numpy(), compute_uv=False) ** 2) for gate in gates]
    assert read_measure(find("alpha"), evidence).value[0] == pytest.approx(
        np.mean([fit.alpha for fit in fits]), rel=1e-5
    )
