"""How a study is declared: its grid at three sizes, and the claims of the literature that it checks."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from heldout.catalog.declaring import unit
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas as pd

Function = TypeVar("Function", bound=Callable[..., Any])
Grid = Mapping[str, Any]
#: One number for every seed (or one alone, of an exact claim), from the study's whole table.
Statistic = Callable[["pd.DataFrame"], Sequence[float]]
Size = Literal["smoke", "laptop", "paper"]
SIZES: tuple[Size, ...] = ("smoke", "laptop", "paper")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the literature, and the number that decides it.

    Attributes:
        sentence: What is claimed, such as ``"Test error peaks where training error first reaches zero."``.
        source: Who claims it: paper and section.
        statistic: The study's table -> one value a seed. The first line of its docstring says what it is.
        bar: The value that separates effect from no effect; it lies halfway between the effect and the control.
        above: Whether the claim is that the statistic lies above the bar; otherwise below it.
        control: The same number on an arm that must not show the effect; ``None`` where the statistic is already a
            difference from one, or a comparison with a closed form.
        exact: Whether the statistic is one number without randomness, held against a closed form.
    """

    sentence: str
    source: str
    statistic: Statistic
    bar: float
    above: bool = True
    control: Statistic | None = None
    exact: bool = False


def study(
    *,
    source: str,
    sizes: Mapping[Size, Grid],
    claims: Sequence[Claim],
    drawn: Callable[["pd.DataFrame"], "pd.DataFrame"],
    axes: Mapping[str, Any],
    figure: str = "curves",
    notes: str = "",
) -> Callable[[Function], Function]:
    """Declare a study: a function of one cell of its grid -> columns of equal length; its docstring's first line is the question.

    Every parameter of the function is keyword-only: the grid's fields, ``seed``, and where the user's own may be put in their
    place ``data`` and ``network``. The columns have one row a seed (and step, width, ... inside the cell), and a column
    ``member`` that names the seed. The grid's fields are added to them as columns.

    Args:
        source: Paper and section.
        sizes: ``smoke`` (under 20 s), ``laptop`` (minutes on two cores), ``paper`` (the published scale) -> grid. A list in a
            grid is an axis, crossed with the others; anything else holds for all cells.
        claims: What the literature says.
        drawn: The study's table -> the rows that its figure draws; of ``curves``: x, y, curve, and where there are any low,
            high, panel.
        axes: Settings of the figure: titles and scales.
        figure: The name of the figure.
        notes: What is known about where it does and does not appear.

    Returns:
        The decorator.
    """
    fields = dict(
        source=source, sizes=dict(sizes), claims=tuple(claims), drawn=drawn, axes=axes, figure=figure, notes=notes
    )
    return lambda function: unit("study", function, **fields)


def cells(grid: Grid) -> Iterator[dict[str, Any]]:
    """The cells of a grid, the last axis running fastest.

    Args:
        grid: Field -> value, or list of values.

    Yields:
        Field -> value.

    Raises:
        Refusal: If an axis has no values.

    Example:
        >>> list(cells({"width": [2, 4], "steps": 100}))
        [{'width': 2, 'steps': 100}, {'width': 4, 'steps': 100}]
    """
    axes = [value if isinstance(value, list) else [value] for value in grid.values()]
    for name, values in zip(grid, axes, strict=True):
        if not values:
            raise Refusal(
                given=f"grid field '{name}' had no values",
                expected="at least one",
                do="leave the field out, or fill it",
            )
    for chosen in itertools.product(*axes):
        yield dict(zip(grid, chosen, strict=True))


def intervention(*, source: str) -> Callable[[Any], Any]:
    """Declare an intervention: a factory of keyword-only settings -> an ``engine.training.Intervention``.

    Args:
        source: Paper and equation.

    Returns:
        The decorator.
    """
    return lambda function: unit("intervention", function, source=source)
