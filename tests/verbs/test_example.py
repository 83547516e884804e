"""The built-in example: everything fits, nothing on the surface tells the groups apart, and the test data do."""

from heldout.verbs.audit import audit
from heldout.verbs.example import example_subject


def test_both_groups_fit_and_only_one_generalizes() -> None:
    subject = example_subject(members=4, train_size=200)
    result = audit(subject, progress=False)
    assert (result["train-accuracy"].value == 1.0).all()
    assert (result["train-loss"].value <= 0.01).all()
    true, random = result["test-accuracy"].value[:2], result["test-accuracy"].value[2:]
    assert true.min() > 0.8
    assert random.max() < 0.3  # guessing gets 0.1; 1,597 test images make 0.3 impossible by chance
    clean = [row["name"] for row in result.contrasts if row["area"] in (0.0, 1.0)]
    assert "param-norm" in clean
    assert len(clean) >= 5
