"""Compression: the digest's table, the numeric trap, prices, the choice among messages, and one certificate end to end."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from tests.cases import ALL
from torch import nn

from heldout import Recipe, Subject, certify
from heldout.bounds.compression import (
    compressed_learnt_prior,
    compressed_network,
    compressed_network_by_hoeffding,
    finite_class,
)
from heldout.engine.compression import compressing
from heldout.engine.evidence.compression import Codes
from heldout.engine.numerics import kl_inverse_upper
from heldout.records import Refusal, Status

LOG_DELTA = math.log(0.05)


def one(errors: float, bits: float, n: int) -> Codes:
    return Codes(np.array([[float(errors)]]), np.array([[float(bits)]]), n)


@pytest.mark.parametrize(
    ("risk", "bits", "printed"),
    [(0.05, 2000, (0.158, 0.1114, 0.1113)), (0.03, 4000, (0.183, 0.1125, 0.1124)), (0.02, 6000, (0.207, 0.1200, 0.1199)),
     (0.01, 10000, (0.251, 0.1427, 0.1426)), (0.01, 300, (0.053, 0.0211, 0.0210)), (0.001, 300, (0.044, 0.0066, 0.0065))],
)  # fmt: skip
def test_the_table_of_the_digest(risk: float, bits: float, printed: tuple[float, float, float]) -> None:
    """Its lengths have 2 log2(l) bits added; the trap of underflow lies above 1,075 bits."""
    n, whole = 60000, bits + 2 * math.log2(bits)
    codes = one(round(risk * n), whole, n)
    nats = (whole * math.log(2) - LOG_DELTA) / n
    ours = (
        compressed_network_by_hoeffding(codes, log_delta=LOG_DELTA).value[0],
        float(kl_inverse_upper(risk, nats)),
        compressed_network(codes, log_delta=LOG_DELTA).value[0],
    )
    assert ours == pytest.approx(printed, abs=6e-4 if printed[0] > 0.04 else 6e-5)
    assert ours[1:] == pytest.approx(printed[1:], abs=7e-5)
    assert ours[2] <= ours[1] <= ours[0]
    assert ours[0] / ours[2] > 1.4


def test_short_messages_against_the_binomial_itself() -> None:
    value = compressed_network(one(7, 10, 200), log_delta=LOG_DELTA).value[0]
    assert stats.binom.cdf(7, 200, value) == pytest.approx(0.05 * 2**-10, rel=1e-6)


def test_the_best_message_is_taken_and_named() -> None:
    codes = Codes(
        np.array([[5.0, 60.0], [20.0, 10.0]]), np.array([[90.0, 30.0], [20.0, 50.0]]), 100,
        parts=(({"coordinates": 90.0}, {}), ({"coordinates": 20.0}, {})),
    )  # fmt: skip
    said = compressed_network(codes, log_delta=LOG_DELTA)
    each = [[compressed_network(one(codes.errors[g, m], codes.bits[g, m], 100), log_delta=LOG_DELTA).value[0] for m in (0, 1)]
            for g in (0, 1)]  # fmt: skip
    assert said.value.tolist() == np.min(each, axis=0).tolist()
    assert said.terms["bits"].tolist() == codes.bits[np.argmin(each, axis=0), [0, 1]].tolist()
    alone = compressed_network(Codes(codes.errors[:, :1], codes.bits[:, :1], 100, codes.parts), log_delta=LOG_DELTA)
    assert alone.code["coordinates"] == alone.code["all"] == alone.terms["bits"][0]


def test_a_bit_costs_a_halving_of_delta() -> None:
    dear = compressed_network(one(4, 11, 150), log_delta=LOG_DELTA).value[0]
    assert dear == pytest.approx(
        compressed_network(one(4, 10, 150), log_delta=LOG_DELTA - math.log(2)).value[0], abs=1e-9
    )
    assert dear > compressed_network(one(4, 10, 150), log_delta=LOG_DELTA).value[0]


def test_the_starting_point_of_a_split_is_the_baseline() -> None:
    codes = Codes(np.array([[9.0]]), np.array([[60.0]]), 900, reference_errors=np.array([18.0]))
    said = compressed_learnt_prior(codes, log_delta=LOG_DELTA)
    assert stats.binom.cdf(18, 900, said.baseline[0]) == pytest.approx(0.05, rel=1e-6)  # type: ignore[index]


def test_its_problems_choose_the_luckiest() -> None:
    needs, risks = finite_class(np.random.default_rng(0), 300)
    said = compressed_network(**needs, log_delta=LOG_DELTA)
    assert said.empirical_risk.mean() < 0.25  # all have the risk 0.3
    assert risks.tolist() == [0.3] * 300


def test_a_network_is_compressed_and_certified_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressing, "STEPS", 150)
    monkeypatch.setattr(compressing, "TUNING_STEPS", 100)
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(600, 10, generator=draw)
    y = (x[:, 0] > 0).long()
    network, initial = (nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in "ab")
    subject = Subject(network, (x[:400], y[:400]), (x[400:], y[400:]), initial=initial)
    found = certify(
        subject, families=["compression", "occam"], recipe=Recipe(optimizer="adam", lr=1e-2, batch_size=50, steps=100)
    )
    assert found.absent == {}
    (best,) = found["compressed-network"]
    assert best.status is Status.VALID
    assert best.value is not None
    assert best.value < 0.75
    assert best.certifies == "the compressed network"
    assert sum(bits for part, bits in best.code_ledger.items() if part != "all") == best.code_ledger["all"]
    assert "no example took part" in best.data_ledger["starting point"]
    (split,) = found["compressed-learnt-prior"]
    assert split.examples == 200
    assert split.baseline["name"] == "clopper-pearson"
    assert found["occam"][0].status is Status.VACUOUS


def test_without_untrained_networks_there_is_nothing_to_start_from() -> None:
    found = certify(ALL["mlp"]().subject(initial=None), families=["compression"])
    assert len(found) == 0
    assert all("initial" in reason for reason in found.absent.values())


def test_lengths_that_no_prefix_free_code_has_are_refused() -> None:
    """All strings of up to 12 bits at l + 2 log2(l) bits: their sum tends to pi^2 / 6."""
    lengths = np.concatenate([np.full(2**bits, bits + 2 * math.log2(bits)) for bits in range(1, 13)])[:, None]
    with pytest.raises(Refusal, match=r"Kraft sum of 1\.56"):
        Codes(np.zeros(lengths.shape), lengths, 100)
    Codes(np.zeros(lengths.shape), lengths + math.log2(math.pi**2 / 6), 100)


@pytest.mark.parametrize("said", [459.3, 400.0])
def test_an_estimate_or_a_message_without_its_codebook_is_refused(said: float) -> None:
    parts = ({"codebook": 17.0, "coordinates": 460.0},)
    with pytest.raises(Refusal, match="477 bits in parts was said to have"):
        Codes(np.array([[5.0]]), np.array([[said]]), 100, (parts,))
    assert Codes(np.array([[5.0]]), np.array([[477.0]]), 100, (parts,)).bits.item() == 477
