"""The examples of certify: fitted networks, held-out data, labels that are random where they are said to be."""

import pytest
import torch

from heldout.engine.numerics import binomial_inverse_lower
from heldout.records import Refusal
from heldout.verbs.certified_example import EXAMPLES, certified_example, check_name


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_all_that_certificates_need(name: str) -> None:
    subject = certified_example(name, train_size=200)
    assert len(subject.train) == 200
    assert subject.test is not None
    assert subject.initial is not None
    assert EXAMPLES[name] in subject.name
    fitted = (subject.population(subject.train.x)[0].argmax(-1) == subject.train.y).double().mean()
    assert fitted > 0.98


def test_random_labels_are_random_in_both_parts() -> None:
    subject, real = certified_example("random-labels", train_size=200), certified_example("digits", train_size=200)
    assert torch.equal(subject.train.x, real.train.x)
    for noisy, true in ((subject.train, real.train), (subject.test, real.test)):
        assert noisy is not None and true is not None  # noqa: PT018
        agreed = int((noisy.y == true.y).sum())
        # one label in ten agrees by chance: an exact interval that fails less than once in a million
        assert float(binomial_inverse_lower(agreed, len(true), -14.0)) < 0.1
        assert agreed < 0.3 * len(true)


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(Refusal, match="one of digits, one-dimensional-digits, random-labels"):
        certified_example("digit")
    with pytest.raises(Refusal, match="beside --network"):
        check_name("digits", alone=False)
    check_name("", alone=False)
