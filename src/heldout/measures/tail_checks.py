"""Whether a power law describes the tails of the spectra, and how sure their exponents are."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.records import Direction, Estimate, estimate

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance
Check = tuple[Tensor, Tensor, Tensor]  # p-value, its error, error of alpha


@measure(source="Clauset, Shalizi & Newman 2009, section 4.1, on the tails of Martin & Mahoney 2021",
         direction=Direction.NEITHER, range=(0.0, 1.0),
         undefined="no layer has the ten eigenvalues that the fit of a tail needs",
         invariances=("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order", "layer-rescaling"))  # fmt: skip
def tail_p_value(tail_checks: Mapping[str, Check]) -> Estimate:
    r"""Mean over layers of the p-value of the fitted power law, by drawing spectra from the fit and fitting them again.

    .. math:: \frac1d \sum_j \frac1D \#\{\text{drawn spectra whose distance to their own fit is at least that of layer } j\}

    Small (Clauset et al. say below 0.1) where ``alpha`` is the exponent of a law that the tail does not follow. Large where
    the tail is short, whatever its law: it is no evidence for a power law against others.

    Args:
        tail_checks: Layer's name -> check.

    Returns:
        The mean with its Monte-Carlo standard error.

    Example:
        >>> check = tuple(torch.tensor(number) for number in (0.5, 0.05, 0.3))
        >>> tail_p_value({"a": check}).value.item()
        0.5
    """
    if not tail_checks:
        return estimate(torch.tensor(float("nan")))
    values, errors = (torch.stack([check[field] for check in tail_checks.values()]) for field in (0, 1))
    layers = values.isfinite().sum()
    return estimate(values.nansum() / layers, standard_error=errors.square().nansum().sqrt() / layers)


@profile(source="Clauset, Shalizi & Newman 2009, sections 3.3 and 4.1")
def tail_fits(tails: Mapping[str, Fit], tail_checks: Mapping[str, Check]) -> dict[str, list[Any]]:
    """Every fitted tail with what the bootstrap says of it: its p-value, and the exponent's error with xmin unknown.

    Args:
        tails: Layer's name -> fit, each field ``[M]``.
        tail_checks: Layer's name -> check, each field ``[M]``.

    Returns:
        One row a layer and member.

    Example:
        >>> one = torch.ones(1)
        >>> table = tail_fits({"a": (3 * one, one, one, 12 * one, 0.1 * one)}, {"a": (0.5 * one, 0.05 * one, 0.7 * one)})
        >>> table["alpha"], table["p_value"]
        ([3.0], [0.5])
    """
    members = range(len(next(iter(tails.values()))[0])) if tails else ()
    fields = ("alpha", "alpha_standard_error", "xmin", "tail_size", "distance")
    checks = ("p_value", "p_value_standard_error", "alpha_standard_error_with_xmin")
    columns: dict[str, list[Any]] = {
        "member": [member for _ in tails for member in members],
        "layer": [layer for layer in tails for _ in members],
    }
    for place, name in enumerate(fields):
        columns[name] = [number for fit in tails.values() for number in fit[place].tolist()]
    for place, name in enumerate(checks):
        columns[name] = [number for layer in tails for number in tail_checks[layer][place].tolist()]
    return columns
