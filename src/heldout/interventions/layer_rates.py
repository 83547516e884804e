"""Learning rates layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting
from heldout.records import Refusal

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class LayerRates(Intervention):
    """The update of :func:`layer_rates`."""

    factors: tuple[tuple[str, float], ...]

    def check(self, training: Setting) -> None:
        """Every pattern matches some trained parameter."""
        for pattern, _ in self.factors:
            if not any(fnmatch(name, pattern) for name in training.shapes):
                raise Refusal(
                    given=f"factors held '{pattern}', which matches no trained parameter",
                    expected=f"a pattern of {', '.join(training.shapes)}",
                    do="correct it, or leave it out",
                )

    def update(self, before: Tensors, after: Tensors, own: Tensors) -> Tensors:
        """Each parameter's step times the factor of the first pattern that its name matches, or times one."""
        return {name: before[name] + self._factor(name) * (after[name] - before[name]) for name in after}

    def _factor(self, name: str) -> float:
        return next((factor for pattern, factor in self.factors if fnmatch(name, pattern)), 1.0)


@intervention(source="Heckel and Yilmaz 2021, section 4 (a step size for each layer)")
def layer_rates(*, factors: Mapping[str, float] | None = None) -> Intervention:
    """Multiply the steps of some parameters, under any optimiser.

    Args:
        factors: Pattern of a parameter's name (``*`` for anything) -> factor; 0 freezes. The first that matches holds.

    Returns:
        The intervention.

    Raises:
        Refusal: If a factor is negative.

    Example:
        >>> import torch
        >>> step = layer_rates(factors={"0.*": 0.1})
        >>> round(step.update({"0.weight": torch.zeros(1)}, {"0.weight": torch.ones(1)}, {})["0.weight"].item(), 6)
        0.1
    """
    for pattern, factor in (factors or {}).items():
        if not isinstance(factor, int | float) or not factor >= 0:
            raise Refusal(
                given=f"the factor of '{pattern}' was {factor}", expected="0 or more", do="pass a factor from 0"
            )
    return LayerRates(tuple((factors or {}).items()))
