"""The inverse questions against the digest's numbers, closed forms, and the bounds themselves."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.records import Refusal
from heldout.verbs.how_many import dimension, entropic, exact, how_many, least


def answers(**settings: float) -> dict[tuple[str, str], int]:
    return {(row["family"], row["question"]): row["answer"] for row in how_many(**settings)}  # type: ignore[arg-type]


@pytest.mark.parametrize(("target", "printed"), [(0.1, 29), (0.05, 59), (0.01, 299)])
def test_no_error_seen(target: float, printed: int) -> None:
    assert answers(target=target, observed=0.0)["held-out", "with no error seen"] == printed


@pytest.mark.parametrize(("width", "printed"), [(0.1, 150), (0.05, 600), (0.01, 14979)])
def test_the_width_of_hoeffding(width: float, printed: int) -> None:
    assert answers(target=width, observed=0.0)["held-out", "with 0 seen, Hoeffding"] == printed


def test_bits_that_can_be_afforded() -> None:
    found = answers(target=0.1, observed=0.03, examples=60000)
    assert found["compression", "code affordable with 60,000 examples"] == 3158
    assert found["pac-bayes", "divergence affordable with 60,000 examples"] == int(
        60000 * (0.03 * math.log(0.3) + 0.97 * math.log(0.97 / 0.9)) - math.log(2 * math.sqrt(60000) / 0.05)
    )


@settings(max_examples=25, deadline=None)
@given(observed=st.floats(0.0, 0.2), width=st.floats(0.02, 0.3), delta=st.floats(1e-4, 0.4))
def test_the_answer_suffices_and_one_less_does_not(observed: float, width: float, delta: float) -> None:
    target = observed + width
    entropy = least(lambda m: entropic(m, observed, delta) <= target)
    assert entropic(entropy, observed, delta) <= target
    assert entropy == 1 or entropic(entropy - 1, observed, delta) > target
    enough = least(lambda m: exact(m, observed, delta) <= target)
    assert exact(enough, observed, delta) <= target


def test_the_dimension_that_can_be_afforded_by_its_bound() -> None:
    n, width, delta = 60000, 0.5, 0.05
    d = dimension(n, width, delta)

    def wide(d: int) -> float:
        return math.sqrt(8 / n * (d * math.log(2 * math.e * n / d) + math.log(4 / delta)))

    assert wide(d) <= width < wide(d + 1)


def test_nothing_left_is_zero() -> None:
    found = answers(target=0.031, observed=0.03, examples=10)
    assert found["compression", "code affordable with 10 examples"] == 0
    assert found["vc", "VC dimension affordable with 10 examples"] == 0


@pytest.mark.parametrize(
    "wrong",
    [{"target": 0.1, "observed": 0.2}, {"target": 1.0}, {"target": 0.1, "examples": 0}, {"target": 0.1, "delta": 0.0}],
)
def test_numbers_out_of_order_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="expected"):
        how_many(**wrong)  # type: ignore[arg-type]


def test_examples_for_finite_and_vc_classes_without_error_and_with() -> None:
    # digest, section 9: 10,000 bits at 0.05 take 1.4e5 examples where one rule is right and 5.5e6 where none is
    found = answers(target=0.05, observed=0.0)
    assert found["occam", "a class of 10,000 bits, with no error on them"] == pytest.approx(1.387e5, rel=1e-3)
    agnostic = found["occam", "the same, the best of the class within the gap to what is seen"]
    assert agnostic == pytest.approx(5.548e6, rel=1e-3)
    expected = max(80 * math.log2(40), 8 * 100 / 0.05 * math.log2(260))
    assert found["vc", "a VC dimension of 100, with no error on them"] == math.ceil(expected)
