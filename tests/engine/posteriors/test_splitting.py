"""A prior that saw the bound's examples is refused: by place and by content."""

import pytest
import torch
from torch import Tensor

from heldout.engine.posteriors.splitting import check_prior, contents, repeated
from heldout.engine.subject import Examples
from heldout.records import Refusal

DATA = Examples(torch.tensor([[0.0, 1.0], [2.0, 3.0], [-0.0, 1.0], [4.0, 5.0]]), torch.tensor([0, 1, 1, 0]))


def places(*numbers: int) -> Tensor:
    """As a tensor."""
    return torch.tensor(numbers, dtype=torch.long)


def test_a_clean_split_passes() -> None:
    check_prior(DATA, places(0, 2), places(1, 3))
    check_prior(DATA, places(0, 1), places(2, 3), content=False)  # repeats that the user allows


@pytest.mark.parametrize(
    ("prior", "bound", "sentence"),
    [
        (
            places(0, 1),
            places(1, 3),
            r"the prior saw 1 of the bound's examples \(places 1\); expected disjoint examples",
        ),
        (places(0, 1), places(2, 3), r"1 of the bound's examples have the same input .* \(places 2\); expected inputs"),
        (places(0), places(1, 1), "the bound counts an example twice"),
        (places(0, 1), places(), "the bound has no examples"),
    ],
)
def test_a_prior_that_saw_the_bounds_examples_is_refused(prior: Tensor, bound: Tensor, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        check_prior(DATA, prior, bound)


def test_contents_tell_inputs_apart_in_every_form() -> None:
    names = contents(DATA)
    assert names[0] == names[2]
    assert len(set(names)) == 3
    assert repeated(DATA) == 1
    two = Examples({"a": DATA.x, "b": torch.tensor([[1], [1], [2], [1]])}, DATA.y)
    assert len(set(contents(two))) == 4
    own = Examples(torch.stack([DATA.x, DATA.x + torch.arange(4.0)[:, None]]), DATA.y, x_per_member=True)
    assert len(set(contents(own))) == 4  # equal for one member, not for the other
