"""Measures from a file of the user's own: a function that is decorated, or bare."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from heldout.catalog import Unit, units
from heldout.catalog.declaring import MARK, measure
from heldout.engine.subject.factories import imported
from heldout.records import Direction, Refusal

Own = str | Callable[..., Any]


def own_measures(given: Sequence[Own]) -> list[Unit]:
    """The units of functions that stand outside the package.

    Args:
        given: Functions, or ``module:function`` with the module importable from the current folder.

    Returns:
        Units; one whose name the catalog has already is called ``module:name``. Of a bare function the direction is unknown and
        NaN is taken as *undefined*.

    Raises:
        Refusal: If one is no measure, asks for evidence that nobody provides, or stands there twice.
    """
    if isinstance(given, str):
        raise Refusal(
            given=f"measures was the word '{given}'", expected="a list of functions", do=f"pass measures=['{given}']"
        )
    found: dict[str, Unit] = {}
    for one in given:
        unit = _unit(one)
        if unit.name in units("measure"):
            unit = replace(unit, name=f"{unit.function.__module__}:{unit.name}")
        if unit.name in found:
            raise Refusal(
                given=f"two measures were called '{unit.name}'",
                expected="one meaning for a name",
                do="rename one of them",
            )
        found[unit.name] = unit
    return list(found.values())


def _unit(one: Own) -> Unit:
    function = imported(one, "--measure") if isinstance(one, str) else one
    called = one if isinstance(one, str) else getattr(function, "__name__", repr(function))
    if not callable(function) or not hasattr(function, "__name__"):
        raise Refusal(
            given=f"the measure '{called}' was a {type(function).__name__}",
            expected="a function of evidence",
            do="write a function such as def my_measure(logits, labels)",
        )
    marked: Unit | None = getattr(function, MARK, None)
    if marked is None:
        marked = getattr(_bare(function), MARK)
    if marked.kind != "measure":
        raise Refusal(
            given=f"'{called}' is declared as a {marked.kind}",
            expected="a measure",
            do="decorate it with @heldout.measure",
        )
    known = [unit.function.__name__ for unit in units("evidence").values()]
    for need in marked.needs:
        if need not in known:
            near = ", ".join(difflib.get_close_matches(need, known, n=3, cutoff=0.4)) or "logits, labels, weights"
            raise Refusal(
                given=f"the measure '{called}' asks for '{need}'",
                expected=f"parameters that are names of evidence, such as {near}",
                do="see docs/adding-a-measure.md for all of them",
            )
    if not marked.needs:
        raise Refusal(
            given=f"the measure '{called}' has no parameter without a default",
            expected="names of evidence as parameters, such as logits and labels",
            do="write a function such as def my_measure(logits, labels)",
        )
    return marked


def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare a function without marking the user's own."""

    def measured(**evidence: Any) -> Any:
        return function(**evidence)

    measured.__name__, measured.__module__, measured.__doc__ = function.__name__, function.__module__, function.__doc__
    measured.__wrapped__ = function  # type: ignore[attr-defined]  # its signature is that of the user's
    declare = measure(
        source=f"{function.__module__}:{function.__name__}",
        direction=Direction.NEITHER,
        range=(float("-inf"), float("inf")),
        undefined="The function gave NaN for this network.",
    )
    return declare(measured)
