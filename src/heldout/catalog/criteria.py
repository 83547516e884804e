"""The decorator of criteria, by which measures are judged."""

from collections.abc import Callable

from heldout.catalog.declaring import Function, unit


def criterion(
    *,
    source: str,
    range: tuple[float, float],
    chance: float | None,
    smaller_is_better: bool = False,
    sign_blind: bool = False,
    by_axis: bool = False,
    parts: tuple[str, ...] = (),
    replicates: int = 200,
) -> Callable[[Function], Function]:
    """Declare a criterion: measures, targets and a design -> how well each measure predicts.

    Args:
        source: Paper and equation.
        range: Smallest and largest value it can take.
        chance: Its value where there is no association; None if only a null can say.
        smaller_is_better: Whether it counts errors.
        sign_blind: Whether a measure that is always wrong scores as one that is always right.
        by_axis: Whether it takes ``axis=``, one hyper-parameter's number.
        parts: Names of the values that it returns in a dictionary; empty if it returns one.
        replicates: Permutations and resamples that its cost allows.

    Returns:
        The decorator. The function takes ``measures [K, N]``, ``targets [R, N]``, ``multiplicities`` and ``design`` among others,
        and returns ``[K, R]``.
    """
    fields = dict(
        source=source, range=range, chance=chance, smaller_is_better=smaller_is_better, sign_blind=sign_blind,
        by_axis=by_axis, parts=parts, replicates=replicates,
    )  # fmt: skip
    return lambda function: unit("criterion", function, **fields)
