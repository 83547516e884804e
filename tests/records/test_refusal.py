"""How heldout says no."""

import pytest

from heldout.records import NotApplicable, Refusal, refuse


def fault(word: str) -> Refusal:
    return Refusal(given=f"{word} was 1", expected="2", do=f"pass {word}=2")


def test_a_refusal_is_one_sentence_with_its_three_parts() -> None:
    one = fault("delta")
    assert str(one) == "delta was 1; expected 2: pass delta=2."
    assert (one.given, one.expected, one.do) == ("delta was 1", "2", "pass delta=2")
    assert isinstance(one, ValueError)


def test_no_fault_passes_and_one_is_raised_as_it_is() -> None:
    refuse([])
    one = fault("delta")
    with pytest.raises(Refusal) as raised:
        refuse([one])
    assert raised.value is one


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(Refusal) as raised:
        refuse([fault("delta"), fault("seed")])
    sentence = str(raised.value)
    assert sentence.startswith("2 faults at once: (1) delta was 1; expected 2: pass delta=2; (2) seed was 1")
    assert ".." not in sentence


def test_not_applicable_says_why_and_what_to_do() -> None:
    absent = NotApplicable("there is no test data", do="pass test=(x, y)")
    assert str(absent) == "there is no test data; pass test=(x, y)"
    assert not isinstance(absent, ValueError)
