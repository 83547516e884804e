"""A step compiled to one piece of native code."""

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any

from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_flatten, tree_unflatten

from heldout.engine.training.step import Step

_TRACING = Lock()


def compiler() -> Callable[..., Any]:
    """Inductor, whose import warns of names that torch itself has given up.

    Returns:
        The function that compiles a graph.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch._inductor.compile_fx

    return torch._inductor.compile


class CompiledStep:
    """A step that is traced and compiled at its first call, for the shapes of that call.

    The step is traced to primitive operations and given to Inductor as a graph: there are no guards to check at every call and
    no limit on how many recipes a process may compile.

    Args:
        step: As from :func:`~heldout.engine.training.step.make_step`.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self._compiled: Callable[..., Any] | None = None
        self._shape: Any = None

    def __call__(self, *parts: Any) -> Any:
        """The step.

        Args:
            *parts: As of the step.

        Returns:
            As of the step.
        """
        leaves, form = tree_flatten(parts)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        with _TRACING:  # tracing is not for two workers at once
            if self._compiled is None:
                self._compiled = self._traced(leaves, form, tensors)
        return tree_unflatten(self._compiled(*tensors), self._shape)

    def _traced(self, leaves: list[Any], form: Any, tensors: list[Tensor]) -> Callable[..., Any]:
        def flat(*given: Tensor) -> list[Tensor]:
            rest = iter(given)
            whole = [next(rest) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            results, self._shape = tree_flatten(self.step(*tree_unflatten(whole, form)))
            return results

        graph = make_fx(flat)(*tensors)
        return compiler()(graph, list(tensors))
