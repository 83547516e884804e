"""``heldout.sample_posterior`` on networks: readings, refusals, and what a user may ask again."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.oracles.posterior_data import GaussianMean
from torch import nn

import heldout
from heldout.engine.sampling import sampling
from heldout.records import Refusal, Status
from heldout.verbs.posterior import Posterior


class Mean(nn.Module):
    """A vector, whatever the input."""

    def __init__(self, start: np.ndarray) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.from_numpy(start))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mean.expand(len(x), -1)


def gaussian(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood with unit variance."""
    return 0.5 * ((outputs - targets).square() + math.log(2 * math.pi)).sum(1)


SAMPLES = np.random.default_rng(2).normal(size=(20, 3))


@cache
def conjugate() -> Posterior:
    """Test vector T8 as a network: the Bayesian posterior of a Gaussian mean."""
    data = torch.zeros(20, 1), torch.from_numpy(SAMPLES)
    test = torch.zeros(9, 1), torch.from_numpy(SAMPLES[:9])
    subject = heldout.Subject(Mean(SAMPLES.mean(0)), train=data, test=test, loss=gaussian)
    return heldout.sample_posterior(subject, beta=1.0, localisation=2.0, precision=0.03, ladder=8, seed=1)


def test_every_observable_of_a_conjugate_model_is_its_integral() -> None:
    """Within 5 of its own standard errors each."""
    found, exact = conjugate(), GaussianMean(SAMPLES, 1.0, 2.0).exact()
    assert found.converged, found.diagnostics()
    assert exact.pop("wbic") > 0  # at another temperature, below
    for name, value in exact.items():
        reading = found.readings[name]
        assert reading.ok, reading.reasons
        assert abs(reading.value[0] - value) < 5 * reading.standard_error[0], name
        assert reading.low[0] < reading.value[0] < reading.high[0]
    coefficient = exact["learning-coefficient"]
    for way in ("two-temperatures", "heat-capacity"):
        reading = found.readings[f"learning-coefficient-{way}"]
        assert abs(reading.value[0] - coefficient) < 5 * reading.standard_error[0]
    assert found.readings["learning-coefficient-quadratic"].value[0] == pytest.approx(coefficient, rel=1e-5)


def test_the_free_energy_of_a_conjugate_model() -> None:
    """``1/2 sum ln(1 + n / gamma)`` over three coordinates."""
    reading = conjugate().free_energy
    assert reading.ok, reading.reasons
    assert abs(reading.value[0] - 1.5 * math.log(1 + 20 / 2)) < 5 * reading.standard_error[0] + 0.02


def test_the_record_is_plain_values() -> None:
    record = json.loads(json.dumps(conjugate().to_dict(), allow_nan=False))
    assert {row["name"] for row in record["readings"]} == set(conjugate().readings)
    assert record["diagnostics"][0]["sampler"] == "hmc"
    assert len({row["chain"] for row in record["traces"]}) == 8
    assert len(record["ladder"]) == 8


def test_the_convention_of_a_batch_in_place_of_n_is_a_temperature() -> None:
    """Tools that take the batch b for n sample at ``b / ln b``: of the same law, another number, which is its integral."""
    data = torch.zeros(20, 1), torch.from_numpy(SAMPLES)
    subject = heldout.Subject(Mean(SAMPLES.mean(0)), train=data, loss=gaussian)
    found = heldout.sample_posterior(subject, beta=8 / math.log(8) / 20, localisation=2.0, precision=0.05)
    nbeta = 8 / math.log(8)
    assert found.draws[0].nbeta == pytest.approx(nbeta)
    reading, exact = found.learning_coefficient, 1.5 * nbeta / (nbeta + 2)
    assert abs(reading.value[0] - exact) < 5 * reading.standard_error[0]
    assert found.readings["learning-coefficient-quadratic"].value[0] == pytest.approx(exact, rel=1e-5)
    assert found.wbic.statuses == (Status.UNDEFINED,)


def test_wbic_waits_for_its_temperature() -> None:
    assert conjugate().wbic.statuses == (Status.UNDEFINED,)


def small(**changes: object) -> Posterior:
    torch.manual_seed(0)
    x = torch.randn(40, 3)
    y = (x[:, 0] > 0).long()
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).train()
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=100, line_search_fn="strong_wolfe")
    network.eval()

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        # a decay makes the minimum of what is trained another one than that of the loss
        loss = nn.functional.cross_entropy(network(x), y)
        if changes.get("decay"):
            loss = loss + 0.5 * sum(p.square().sum() for p in network.parameters())
        loss.backward()
        return loss

    optimizer.step(closure)
    given = {"precision": 0.2, "draws": 60, **{k: v for k, v in changes.items() if k not in ("decay", "copies")}}
    networks = [network] * int(str(changes.get("copies", 1)))
    return heldout.sample_posterior(heldout.Subject(networks, train=(x, y)), **given)  # type: ignore[arg-type]


def test_a_centre_that_is_no_minimum_is_refused_and_the_others_still_speak() -> None:
    """Trained with weight decay, sampled without."""
    found = small(decay=True, localisation=1.0)
    reading = found.learning_coefficient
    assert reading.statuses == (Status.UNDEFINED,)
    assert "no minimum" in reading.reasons[0] or "above the minimum" in reading.reasons[0]
    assert found.readings["learning-coefficient-heat-capacity"].ok


def test_restricting_samples_some_parameters_and_keeps_the_others() -> None:
    whole = small(decay=True)
    bias = whole.restrict("0.bias")
    assert bias.draws[0].size == 2
    assert bias.draws[0].localisation == whole.draws[0].localisation
    assert list(bias.draws[0].equilibrium.layers) == ["0.bias"]
    # logits move alike in one direction, so that two biases are one parameter
    assert bias.readings["learning-coefficient-quadratic"].value[0] < 0.5


def test_equal_members_get_equal_numbers_and_a_ladder_of_localisations_its_rows() -> None:
    found = small(copies=2)
    assert found.learning_coefficient.value[0] == pytest.approx(found.learning_coefficient.value[1], rel=1e-3)
    rows = found.ladder_of_localisations((1.0, 16.0))
    assert [(row["factor"], row["member"]) for row in rows] == [(1.0, 0), (1.0, 1), (16.0, 0), (16.0, 1)]
    assert rows[2]["quadratic"] < rows[0]["quadratic"]


def test_what_is_absent_is_not_applicable() -> None:
    found = small()
    assert found.free_energy.statuses == (Status.NOT_APPLICABLE,)
    assert "ladder" in found.free_energy.reasons[0]
    assert found.readings["bayes-test-loss"].statuses == (Status.NOT_APPLICABLE,)


def test_a_squared_error_is_no_likelihood() -> None:
    x = torch.randn(30, 1, generator=torch.Generator().manual_seed(0))
    network = nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(1.0), network.bias.zero_()
    found = heldout.sample_posterior(
        heldout.Subject(network, train=(x, x[:, 0]), loss="squared-error"), draws=50, precision=0.3, localisation=1.0
    )
    assert found.learning_coefficient.ok
    assert found.waic.statuses == (Status.NOT_APPLICABLE,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"chains": 1}, "chains was 1"), ({"draws": 3}, "draws was 3"), ({"at": "here"}, "at was 'here'"),
        ({"at": "initial"}, "no initial networks"), ({"only": "layers.9"}, "only was 'layers.9'"), ({"beta": -1.0}, "beta was -1.0"),
        ({"localisation": 0.0}, "localisation was 0.0"), ({"localisation": [1.0, 2.0]}, "localisation had 2"),
        ({"ladder": 2}, "ladder was 2"),
        ({"sampler": "gibbs"}, "sampler was 'gibbs'"), ({"batch": 0}, "batch was 0"), ({"step_size": -1.0}, "step_size was -1.0"),
        ({"budget": 0.0}, "budget was 0.0"), ({"seed": -1}, "seed was -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(given: dict[str, object], words: str) -> None:
    subject = heldout.Subject(nn.Linear(2, 2), train=(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1])))
    with pytest.raises(Refusal, match=words.replace("[", r"\[")):
        heldout.sample_posterior(subject, **given)  # type: ignore[arg-type]


def test_a_call_that_was_killed_goes_on_from_its_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sampling, "KEPT_EVERY", 0.0)
    data = torch.zeros(20, 1), torch.from_numpy(SAMPLES)
    subject = heldout.Subject(Mean(SAMPLES.mean(0)), train=data, loss=gaussian)
    told: list[str] = []

    def killed(words: str, share: float) -> None:
        told.append(words)
        if words == "32 draws":
            raise KeyboardInterrupt

    given = {"localisation": 2.0, "precision": 0.05, "ladder": 6, "seed": 3}
    whole = heldout.sample_posterior(subject, **given)
    store = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        heldout.sample_posterior(subject, **given, progress=killed, store=str(store))
    (part,) = store.glob("parts/*/*.safetensors")
    told.clear()
    found = heldout.sample_posterior(subject, **given, progress=lambda words, _: told.append(words), store=str(store))
    assert told[0] == "taken up at 31 draws"
    assert not part.parent.exists()
    for name, reading in whole.readings.items():
        assert np.array_equal(found.readings[name].value, reading.value, equal_nan=True), name
    other = heldout.sample_posterior(
        subject, **{**given, "seed": 4}, store=str(store)
    )  # shares nothing with the other seed
    assert not np.array_equal(other.learning_coefficient.value, whole.learning_coefficient.value)
