"""Modular arithmetic, against Python's own remainders."""

import pytest
import torch

from heldout.datasets.modular_arithmetic import modular_arithmetic
from heldout.records import Refusal

RIGHT = {
    "addition": lambda a, b, c, p: (a + b - c) % p == 0,
    "subtraction": lambda a, b, c, p: (a - b - c) % p == 0,
    "multiplication": lambda a, b, c, p: (a * b - c) % p == 0,
    "division": lambda a, b, c, p: b != 0 and (b * c - a) % p == 0,
}


@pytest.mark.parametrize("operation", RIGHT)
def test_every_pair_stands_once_with_its_result(operation: str) -> None:
    parts = modular_arithmetic(modulus=7, operation=operation, share=0.4, form="tokens", seed=3)
    rows = [(int(a), int(b), int(c)) for x, y in parts for (a, b, _), c in zip(x, y, strict=True)]
    pairs = 42 if operation == "division" else 49
    assert len(rows) == len({(a, b) for a, b, _ in rows}) == pairs
    assert len(parts[0][1]) == round(0.4 * pairs)
    assert all(RIGHT[operation](a, b, c, 7) for a, b, c in rows)
    assert all(int(x[:, 2].unique()) == 7 for x, _ in parts)


def test_one_hot_blocks_hold_the_tokens() -> None:
    (tokens, y), _ = modular_arithmetic(modulus=5, form="tokens")
    (x, same), _ = modular_arithmetic(modulus=5)
    assert torch.equal(y, same)
    assert x.shape == (12, 10)
    assert torch.equal(x[:, :5].argmax(1), tokens[:, 0])
    assert torch.equal(x[:, 5:].argmax(1), tokens[:, 1])
    assert torch.equal(x.sum(1), torch.full((12,), 2.0))


def test_the_split_follows_its_seed() -> None:
    first, again, other = (modular_arithmetic(modulus=11, seed=seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("change", "word"), [({"modulus": 9}, "modulus"), ({"share": 0.0}, "share"), ({"operation": "power"}, "operation"),
                         ({"form": "binary"}, "form"), ({"share": 1.0}, "share"), ({"modulus": 1}, "modulus")]
)  # fmt: skip
def test_what_cannot_be_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(Refusal, match=word):
        modular_arithmetic(**change)  # type: ignore[arg-type]
