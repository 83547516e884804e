"""Occam's bound for the network as it is: every weight a number of 32 bits."""

from typing import Any

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.records import Bounded


def tiny_class(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: the luckiest of 4,096 networks of one weight, all of risk 0.4 on 300 examples.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    import torch

    least = generator.binomial(300, 0.4, size=(problems, 4096)).min(1)
    errors = (np.arange(300) < least[:, None]).astype(np.float64)
    return {"errors": torch.from_numpy(errors), "parameter_count": 1}, np.full(problems, 0.4)


@bound(
    source="Blumer et al. 1987; Langford 2005 (Occam's razor bound), for weights of 32 bits",
    certifies="this network",
    statement="probability over the draw of the training examples",
    family="occam",
    problem=tiny_class,
)
def occam(errors: Tensor, parameter_count: int, *, log_delta: float) -> Bounded:
    r"""Risk of the network as it is, from its training errors and its P weights of 32 bits each.

    .. math:: \sup \{ p : P[\mathrm{Bin}(n, p) \le k] \ge \delta \, 2^{-32 P} \}

    Holds for every network of this architecture at once, whatever trained it. With more weights than a small share of the
    examples it is empty; compression is the way to make it speak. Architecture and precision must not depend on the data.

    Args:
        errors: 0-1 errors on the training examples, ``[M, N]``.
        parameter_count: P.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> import torch
        >>> said = occam(torch.zeros(1, 60000), 50, log_delta=np.log(0.05))
        >>> print(f"{said.value[0]:.4f}", said.code["weights"])
        0.0184 1600.0
    """
    wrong, n, bits = errors.double().sum(-1).cpu().numpy(), errors.shape[-1], 32.0 * parameter_count
    spent = np.nextafter(log_delta - bits * np.nextafter(np.log(2.0), np.inf), -np.inf)
    return Bounded(
        value=np.asarray(binomial_inverse_upper(wrong, n, np.full(wrong.shape, spent))),
        steps=(
            (
                "the errors of every network of this architecture are not this few by chance, at delta times 2^-bits each",
                1.0,
            ),
        ),
        empirical_risk=wrong / n,
        examples=n,
        data={"bound": f"all {n} training examples, assumed to be independent draws"},
        code={"weights": bits},
        terms={"bits": np.full(wrong.shape, bits)},
    )
