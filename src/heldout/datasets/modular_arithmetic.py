"""Modular arithmetic: the table of an operation mod p, a share of it for training."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from heldout.catalog import dataset
from heldout.engine.population import stream
from heldout.records import Refusal

Pair = tuple[Tensor, Tensor]
OPERATIONS = ("addition", "subtraction", "multiplication", "division")
FORMS = ("one-hot", "tokens")


@dataset(
    source="Power et al. 2022, section 3; Nanda et al. 2023, section 3 (tokens); Doshi et al. 2024 (one-hot pairs)"
)
def modular_arithmetic(
    *, modulus: int = 97, operation: str = "addition", share: float = 0.5, form: str = "one-hot", seed: int = 0
) -> tuple[Pair, Pair]:
    """Every pair (a, b) with the result c of an operation mod p, split at random.

    Args:
        modulus: The prime p.
        operation: ``addition``, ``subtraction``, ``multiplication`` or ``division`` (c with b c = a; b is not 0).
        share: Of the pairs that is training data.
        form: ``one-hot``: x is ``[N, 2 p]``, two one-hot blocks; ``tokens``: ``[N, 3]`` with a, b and the equals sign p.
        seed: Of the split.

    Returns:
        ``(x, y)`` for training and for test; y ``[N]`` in 0 to p - 1.

    Raises:
        Refusal: If the modulus is no prime, the share leaves a part empty, or a word is not known.

    Example:
        >>> (x, y), (x_test, y_test) = modular_arithmetic(modulus=5, operation="division", form="tokens", share=0.6)
        >>> x.shape, len(y_test), bool(((x[:, 1] * y - x[:, 0]) % 5 == 0).all())
        (torch.Size([12, 3]), 8, True)
    """
    for name, given, known in (("operation", operation, OPERATIONS), ("form", form, FORMS)):
        if given not in known:
            raise Refusal(
                given=f"{name} was '{given}'", expected=f"one of {', '.join(known)}", do="choose one of these"
            )
    if modulus < 2 or any(modulus % factor == 0 for factor in range(2, int(modulus**0.5) + 1)):
        raise Refusal(given=f"modulus was {modulus}", expected="a prime", do="pass a prime such as 97")
    a, b = torch.cartesian_prod(torch.arange(modulus), torch.arange(modulus)).T
    if operation == "division":  # every b but 0 and every c make one division
        b, c = torch.cartesian_prod(torch.arange(1, modulus), torch.arange(modulus)).T
        a = b * c % modulus
    else:
        c = {"addition": a + b, "subtraction": a - b, "multiplication": a * b}[operation] % modulus
    order = torch.randperm(len(c), generator=stream(seed, "modular arithmetic", modulus, operation))
    count = round(share * len(c))
    if not 0 < count < len(c):
        raise Refusal(given=f"share was {share}", expected="a part between none and all", do="pass a share such as 0.5")
    if form == "tokens":
        x = torch.stack([a, b, torch.full_like(a, modulus)], dim=1)
    else:
        x = torch.cat([one_hot(a, modulus), one_hot(b, modulus)], dim=1).float()
    first, rest = order[:count], order[count:]
    return (x[first], c[first]), (x[rest], c[rest])
