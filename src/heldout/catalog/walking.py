"""The catalog: every unit of the open rooms, found by walking their folders."""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType

from heldout.catalog.declaring import MARK, Unit
from heldout.catalog.observables import OBSERVED
from heldout.records import Refusal

#: The open rooms in which units live.
ROOMS = (
    "measures", "representation", "bounds", "criteria", "figures", "datasets", "networks", "interventions", "studies",
    "posterior",
)  # fmt: skip


def declared_in(module: ModuleType) -> list[Unit]:
    """The units that a module declares itself, in the order of its text.

    Args:
        module: An imported module.

    Returns:
        Its units.
    """
    found = [getattr(thing, MARK) for thing in vars(module).values() if hasattr(thing, MARK)]
    return [declared for declared in found if declared.function.__module__ == module.__name__]


@cache
def units(kind: str = "") -> Mapping[str, Unit]:
    """Every unit of a kind, found by walking the open rooms and the evidence room.

    Args:
        kind: Empty for all kinds but evidence and figures.

    Returns:
        Name -> unit, in the order of rooms, files and text.

    Raises:
        Refusal: If two files declare one name, or a unit needs evidence that nobody provides.
    """
    found: dict[str, Unit] = {}
    places = {"evidence": ("engine.evidence",), "figure": ("figures",), "observable": ("posterior",)}.get(
        kind, tuple(r for r in ROOMS if r != "figures")
    )
    for place in places:
        package = importlib.import_module(f"heldout.{place}")
        for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
            module = importlib.import_module(f"{package.__name__}.{entry.name}")
            for declared in declared_in(module):
                if kind and declared.kind != kind:
                    continue
                if declared.name in found:
                    raise Refusal(
                        given=f"'{declared.name}' was declared in {module.__name__} and in "
                        f"{found[declared.name].function.__module__}",
                        expected="one meaning for a name",
                        do="rename one of the two functions",
                    )
                found[declared.name] = declared
    check_observed(found)
    if kind in ("", "measure", "profile", "bound"):
        known = {name.replace("-", "_") for name in units("evidence")}
        for declared in found.values():
            strangers = set(declared.needs) - known
            if declared.kind in ("measure", "profile", "bound") and strangers:
                raise Refusal(
                    given=f"'{declared.name}' asks for evidence {sorted(strangers)}",
                    expected=f"required parameters among {sorted(known)}",
                    do="name evidence that exists, or make the parameter keyword-only",
                )
    return found


def check_observed(found: Mapping[str, Unit]) -> None:
    """Refuse observables that ask for what no posterior has.

    Args:
        found: Units by name.

    Raises:
        Refusal: With the names that there are.
    """
    for declared in found.values():
        strangers = set(declared.needs) - set(OBSERVED)
        if declared.kind == "observable" and strangers:
            raise Refusal(
                given=f"'{declared.name}' asks for {sorted(strangers)}",
                expected=f"required parameters among {sorted(OBSERVED)}",
                do="name what a posterior has, or make the parameter keyword-only",
            )


def find(name: str) -> Unit:
    """The unit of this name.

    Args:
        name: Kebab-case.

    Returns:
        The unit.

    Raises:
        Refusal: If there is none, with the nearest names.
    """
    everything = units()
    if name not in everything:
        near = difflib.get_close_matches(name, everything, n=3, cutoff=0.5)
        raise Refusal(
            given=f"'{name}' is not in the catalog",
            expected=f"one of its names, such as {', '.join(near or list(everything)[:3])}",
            do="see them all with 'heldout list'",
        )
    return everything[name]
