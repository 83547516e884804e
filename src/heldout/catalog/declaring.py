"""The decorators that stand beside units.

A unit is a pure function of tensors. Its required parameters are evidence names, its keyword-only parameters are its
settings; name, family, needs and summary come from path, signature and docstring. The decorator carries only what the
signature cannot say, and each of its fields is read by a common check.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from heldout.records import Direction, Passes, Status

Function = TypeVar("Function", bound=Callable[..., Any])

#: Transformations that leave the function or the data as it is; property tests are generated from them.
INVARIANCES = (
    "layer-rescaling",
    "batch-norm-folding",
    "neuron-permutation",
    "logit-shift",
    "logit-scale",
    "example-order",
)
MARK = "__heldout_unit__"


@dataclass(frozen=True, slots=True)
class Unit:
    """One declared idea.

    Attributes:
        name: Kebab-case, from the function's name.
        family: The file it stands in; of a bound, the family of certificates that it belongs to.
        room: The folder it stands in.
        kind: ``measure``, ``profile``, ``bound``, ``evidence``, ``figure``, ``dataset``, ``network``,
            ``intervention`` or ``study``.
        function: The pure function.
        needs: Evidence names (of a figure: table names), from the signature.
        settings: Keyword-only parameters with their defaults.
        summary: First line of the docstring.
        about: The rest of the docstring.
        fields: What the decorator said.
    """

    name: str
    family: str
    room: str
    kind: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    settings: Mapping[str, Any]
    summary: str
    about: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Paper and equation."""
        return str(self.fields.get("source", ""))

    @property
    def direction(self) -> Direction:
        """What a larger value says about error on unseen data."""
        direction: Direction = self.fields.get("direction", Direction.NEITHER)
        return direction


def unit(kind: str, function: Function, **fields: Any) -> Function:
    """Mark a function as a unit; it stays the function it was.

    Args:
        kind: What it is.
        function: The pure function.
        **fields: What the signature cannot say.

    Returns:
        The function itself.
    """
    signature = inspect.signature(function)
    needs = tuple(
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
    )
    settings = {n: p.default for n, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY}
    summary, _, about = inspect.cleandoc(function.__doc__ or "").partition("\n")
    path = function.__module__.split(".")
    declared = Unit(
        name=function.__name__.replace("_", "-"),
        family=fields.get("family") or path[-1],
        room=path[-2] if len(path) > 1 else "",
        kind=kind,
        function=function,
        needs=needs,
        settings=settings,
        summary=summary,
        about=about.strip(),
        fields=fields,
    )
    setattr(function, MARK, declared)
    return function


def measure(
    *,
    source: str,
    direction: Direction,
    range: tuple[float, float] = (0.0, float("inf")),
    invariances: tuple[str, ...] = (),
    undefined: str = "",
    unit_of_value: str = "",
    stacked: str = "",
    waives: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """Declare a measure: evidence of one network -> a number, or an ``Estimate`` where there is uncertainty.

    Args:
        source: Paper and equation.
        direction: What a larger value says about error on unseen data.
        range: Smallest and largest value it can take.
        invariances: Of :data:`INVARIANCES`, those that must not move it.
        undefined: The sentence for networks where it has no value; the function then returns NaN. Without it a NaN is a fault.
        unit_of_value: Such as ``"nats"``; empty for a pure number.
        stacked: Why the function takes the whole population's evidence (leading axis M) instead of one network's.
        waives: Common check -> reason why this unit is not held to it.

    Returns:
        The decorator.
    """
    fields = dict(
        source=source, direction=direction, range=range, invariances=invariances, undefined=undefined,
        unit=unit_of_value, stacked=stacked, waives=dict(waives or {}),
    )  # fmt: skip
    return lambda function: unit("measure", function, **fields)


def profile(*, source: str) -> Callable[[Function], Function]:
    """Declare a profile: evidence of the whole population -> columns of equal length, a table rather than a number.

    Args:
        source: Paper and equation, or the definition.

    Returns:
        The decorator. The function returns ``dict[str, array]``, with a column ``member``.
    """
    return lambda function: unit("profile", function, source=source)


def bound(
    *,
    source: str,
    certifies: str,
    statement: str,
    family: str = "held-out",
    standing: Status = Status.VALID,
    problem: Callable[..., Any] | None = None,
) -> Callable[[Function], Function]:
    """Declare a bound: evidence and ``log_delta`` -> upper bounds on the risk.

    Args:
        source: Paper and equation.
        certifies: The object it speaks of.
        statement: What its probability is over.
        family: Of certificates that rest on one idea: ``held-out``, ``occam``, ``pac-bayes``, ...
        standing: What the number is where nothing is in its way: ``Status.VALID`` for a theorem's, ``ESTIMATE`` for one in
            expectation, ``CORRELATE`` where constants or assumptions are not known.
        problem: For the simulator: ``(generator, problems) -> (evidence by name, true risks [problems])``. Bounds of the family
            ``held-out`` need none: their problems are losses of a known mean.

    Returns:
        The decorator. The function returns a :class:`heldout.records.Bounded`; or, if it speaks of held-out losses ``[M, N]`` in
        [0, 1], ``(bounds, steps)``, steps being pairs of words and shares of delta that sum to 1.
    """
    return lambda function: unit(
        "bound", function, source=source, certifies=certifies, statement=statement, family=family, standing=standing,
        problem=problem,
    )  # fmt: skip


def evidence(
    *,
    forward: float = 0.0,
    backward: float = 0.0,
    thorough: bool = False,
    requires: Callable[[Any], None] | None = None,
) -> Callable[[Function], Function]:
    """Declare evidence: an expensive intermediate, computed at most once.

    Args:
        forward: Forward sweeps over the training set it is expected to cost on its own.
        backward: Likewise backward.
        thorough: Dear: what rests on it is computed in a thorough audit, or when it is asked for by name.
        requires: Given the subject, raises ``NotApplicable`` where it cannot have this evidence; costs nothing, so that a
            plan can say it without computing. What is only seen while computing is raised by the function itself.

    Returns:
        The decorator. Required parameters are other evidence or ``subject`` and ``seed``.
    """
    return lambda function: unit(
        "evidence", function, passes=Passes(forward, backward), thorough=thorough, requires=requires
    )


def figure(*, title: str, caption: str) -> Callable[[Function], Function]:
    """Declare a figure: tables (lists of rows) by name -> an Altair chart. It selects, sorts and labels, and computes nothing.

    Args:
        title: Above it.
        caption: Below it: what is seen and how to read it.

    Returns:
        The decorator.
    """
    return lambda function: unit("figure", function, title=title, caption=caption)


def dataset(*, source: str) -> Callable[[Function], Function]:
    """Declare a data set: a function of ``seed`` and settings -> ``(train, test)`` pairs.

    Args:
        source: Where the data come from.

    Returns:
        The decorator.
    """
    return lambda function: unit("dataset", function, source=source)


def network(*, source: str) -> Callable[[Function], Function]:
    """Declare a network: settings -> an ``nn.Module``.

    Args:
        source: Where the architecture comes from.

    Returns:
        The decorator.
    """
    return lambda function: unit("network", function, source=source)
