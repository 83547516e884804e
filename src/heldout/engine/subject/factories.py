"""Functions of the user's own modules: ``package.module:function``."""

import difflib
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from heldout.engine.subject.loaded import reason
from heldout.records import Refusal

SPELLING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def imported(spec: str, argument: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` names. The current folder is importable.

    Args:
        spec: Module and function.
        argument: The argument's name.

    Returns:
        The function.

    Raises:
        Refusal: If the module cannot be imported or has no such function.

    Example:
        >>> imported("math:sqrt", "network")(9)
        3.0
    """
    if not SPELLING.fullmatch(spec):
        raise Refusal(
            given=f"{argument} was '{spec}'",
            expected="package.module:function",
            do="name a function that an import from the current folder finds",
        )
    module_name, _, path = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        absent = isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}.")
        raise Refusal(
            given=f"{argument} named the module '{module_name}', "
            + ("which is not there" if absent else f"whose import failed ({reason(error)})"),
            expected="a module that can be imported",
            do="run heldout in the folder that holds it or install it" if absent else "mend the module",
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, [name for name in vars(found) if name[0] != "_"], n=3, cutoff=0.4)
            raise Refusal(
                given=f"{argument} named '{part}', which '{module_name}' has not",
                expected=f"one of its functions{', such as ' + ', '.join(near) if near else ''}",
                do="check the spelling after the colon",
            )
        found = getattr(found, part)
    if not callable(found):
        raise Refusal(
            given=f"{argument} named '{spec}', a {type(found).__name__}",
            expected="a function",
            do="name a function that gives it",
        )
    return found


def called(spec: str, argument: str, keywords: Mapping[str, Any] | None = None) -> Any:
    """What the function gives.

    Args:
        spec: ``package.module:function``.
        argument: The argument's name.
        keywords: Its arguments.

    Returns:
        Anything.

    Raises:
        Refusal: If it raises.
    """
    function = imported(spec, argument)
    try:
        return function(**dict(keywords or {}))
    except (Exception, SystemExit) as error:
        said = ", ".join(f"{key}={value!r}" for key, value in (keywords or {}).items())
        raise Refusal(
            given=f"{argument} '{spec}' failed when it was called with {said or 'no arguments'} ({reason(error)})",
            expected="a function that runs with these arguments",
            do="mend the function, or pass other arguments",
        ) from error


def make_network(spec: str, keywords: Mapping[str, Any] | None = None) -> nn.Module:
    """A network from its factory.

    Args:
        spec: ``package.module:factory``.
        keywords: The factory's arguments.

    Returns:
        A fresh module.

    Raises:
        Refusal: If the factory gives anything else.

    Example:
        >>> make_network("torch.nn:Linear", {"in_features": 3, "out_features": 2})
        Linear(in_features=3, out_features=2, bias=True)
    """
    network = called(spec, "network", keywords)
    if not isinstance(network, nn.Module):
        raise Refusal(
            given=f"network '{spec}' gave a {type(network).__name__}",
            expected="an nn.Module",
            do="let the factory return the network",
        )
    return network
