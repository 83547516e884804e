"""Weights held at zero, each member its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting
from heldout.records import Refusal

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class PruningMask(Intervention):
    """The update of :func:`pruning_mask`."""

    masks: Mapping[str, Tensor] = field(default_factory=dict, hash=False)

    def check(self, training: Setting) -> None:
        """Every mask belongs to a trained parameter and has its shape, one for each member."""
        for name, mask in self.masks.items():
            if name not in training.shapes:
                raise Refusal(
                    given=f"masks held '{name}', which is no trained parameter",
                    expected=f"one of {', '.join(training.shapes)}",
                    do="correct its name",
                )
            if tuple(mask.shape) != (training.members, *training.shapes[name]):
                raise Refusal(
                    given=f"the mask of '{name}' had shape {tuple(mask.shape)}",
                    expected=f"{(training.members, *training.shapes[name])}, one mask for each member",
                    do="stack the members' masks",
                )

    def tensors(self) -> Mapping[str, Tensor]:
        """The masks, named so that they meet no other piece's."""
        return {f"mask/{name}": mask for name, mask in self.masks.items()}

    def update(self, before: Tensors, after: Tensors, own: Tensors) -> Tensors:
        """The weights where the mask is one, zero elsewhere."""
        return {
            name: weight * own[f"mask/{name}"].to(weight.dtype) if f"mask/{name}" in own else weight
            for name, weight in after.items()
        }


@intervention(source="Frankle and Carbin 2019, section 1 (masks of lottery tickets)")
def pruning_mask(*, masks: Mapping[str, Tensor] | None = None) -> Intervention:
    """Hold pruned weights at zero after every step. Start from masked weights too.

    Args:
        masks: Parameter's name -> ``[M, ...]`` of zeros and ones; parameters that are not named stay whole.

    Returns:
        The intervention.

    Example:
        >>> import torch
        >>> keep = pruning_mask(masks={"w": torch.tensor([[1, 0]])})
        >>> keep.update({}, {"w": torch.tensor([3.0, 4.0])}, {"mask/w": keep.tensors()["mask/w"][0]})["w"].tolist()
        [3.0, 0.0]
    """
    return PruningMask(dict(masks or {}))
