"""What a certificate may be quoted for: its own object, loss and probability."""

from dataclasses import replace

import pytest
from tests import cases

import heldout
from heldout.records import Certificate, Refusal, Spent, Status

GIBBS = Certificate(
    name="pac-bayes-kl",
    member=0,
    value=0.16111,
    delta=0.05,
    loss="0-1 error",
    loss_range=(0.0, 1.0),
    certifies="the Gibbs predictor around this network",
    statement="probability over the draw of the training examples",
    ledger=(Spent("divergence", 0.05),),
    data_ledger={},
    status=Status.VALID,
    reason="",
    baseline={},
    empirical_risk=0.02,
    examples=55000,
    source="Maurer 2004",
)


def test_the_sentence_has_everything_and_its_number_is_rounded_up() -> None:
    assert GIBBS.quote(of=GIBBS.certifies, loss="0-1 error", probability=0.95) == (
        "With probability at least 95 % (probability over the draw of the training examples), the 0-1 error of the Gibbs "
        "predictor around this network is at most 0.1612 [Maurer 2004; 55000 examples]."
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"of": "this network"}, "the families held-out and transfer certify the network itself"),
        ({"of": "the mean network"}, "quoted for 'the mean network'"),
        ({"loss": "cross-entropy"}, "the loss '0-1 error' was quoted for 'cross-entropy'"),
        ({"probability": 0.99}, "expected at most 0.95: certify again with delta=0.01"),
    ],
)
def test_a_gibbs_certificate_says_nothing_of_the_mean_network_and_an_error_nothing_of_a_loss(
    wrong: dict, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        GIBBS.quote(**wrong)


def test_an_expectation_has_no_probability() -> None:
    estimate = replace(GIBBS, status=Status.ESTIMATE, delta=0.0, statement="an expectation over samples")
    assert estimate.quote().startswith("As estimate, with no probability (an expectation over samples), the 0-1 error")
    with pytest.raises(Refusal, match=r"but is estimate \(an expectation over samples\)"):
        estimate.quote(probability=0.5)


@pytest.mark.parametrize("status", [Status.VACUOUS, Status.REFUSED])
def test_what_says_nothing_is_not_quoted(status: Status) -> None:
    with pytest.raises(Refusal, match="a certificate that says something"):
        replace(GIBBS, status=status, value=None if status is Status.REFUSED else 1.2, reason="why.").quote()


def test_real_certificates_can_be_quoted() -> None:
    found = heldout.certify(cases.mlp().subject(), families="held-out")
    assert found.best().quote(of="this network", probability=0.95).startswith("With probability at least 95 %")
