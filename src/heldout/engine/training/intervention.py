"""What an intervention may change in a training step: each hook is written for one member and mapped over all."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from heldout.engine.population import Inputs
from heldout.engine.subject.losses import Loss
from heldout.records import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

Tensors = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Setting:
    """The training that an intervention is about to change.

    Attributes:
        members: M.
        batch: Examples a step.
        shapes: Trained parameter's name -> its shape without the axis M.
        loss: One an example.
    """

    members: int
    batch: int
    shapes: "Mapping[str, tuple[int, ...]]"
    loss: Loss

    def needs_classes(self, piece: "Intervention", *losses: str) -> None:
        """Refuse a loss that is not computed from class scores.

        Args:
            piece: That asks.
            losses: Names of those that it knows how to change; any of class labels and scores unless given.

        Raises:
            Refusal: If it is another one.
        """
        known = self.loss.name in losses if losses else self.loss.name != "binary-cross-entropy"
        if self.loss.task != "classification" or not known:
            raise Refusal(
                given=f"loss was '{self.loss.name}' with {type(piece).__name__}",
                expected="cross-entropy, which is computed from class scores",
                do="pass loss='cross-entropy', or leave the intervention out",
            )


@dataclass(frozen=True)
class Intervention:
    """A piece that changes training; every hook here leaves things as they are.

    Hooks see one member: tensors without the axis M, and ``key``, a whole number in a tensor that differs with seed, member and
    step and from which all randomness derives (:mod:`heldout.engine.training.counting`). Frozen settings are the fields of the
    subclass; they and the class's name go into the address of what was trained.
    """

    @property
    def parts(self) -> int:
        """Into how many equal parts the batch's gradient is kept apart for :meth:`combine`; 0 for one an example."""
        return 1

    def check(self, training: Setting) -> None:
        """Refuse a training that this piece could not change as it says.

        Args:
            training: That is about to begin.
        """
        return

    def network(self, template: nn.Module) -> nn.Module:
        """Change the architecture in place of which members are trained; parameters must keep names and shapes.

        Args:
            template: A copy that may be changed.

        Returns:
            The network to train.
        """
        return template

    def batch(self, x: Inputs, y: Tensor, key: Tensor) -> tuple[Inputs, Tensor]:
        """Change a batch.

        Args:
            x: Inputs ``[B, ...]``.
            y: Labels ``[B]``.
            key: Of this member and step.

        Returns:
            Inputs and labels of the same shapes.
        """
        return x, y

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """Change the losses of a batch.

        Args:
            outputs: ``[B, C]``.
            y: Labels ``[B]``.
            losses: As they would be, ``[B]``.
            key: Of this member and step.

        Returns:
            ``[B]``.
        """
        return losses

    def combine(self, gradients: Tensors) -> Tensors:
        """One gradient from those of the parts; only called where :attr:`parts` is not 1.

        Args:
            gradients: Name -> ``[parts, ...]``, each the mean gradient of a part.

        Returns:
            Name -> ``[...]``.
        """
        return {name: gradient.mean(0) for name, gradient in gradients.items()}

    def gradient(self, gradients: Tensors, parameters: Tensors, key: Tensor) -> Tensors:
        """Change the gradient before the optimiser sees it.

        Args:
            gradients: Name -> ``[...]``.
            parameters: Likewise.
            key: Of this member and step.

        Returns:
            Name -> ``[...]``.
        """
        return gradients

    def update(self, before: Tensors, after: Tensors, own: Tensors) -> Tensors:
        """Change the step that the optimiser took.

        Args:
            before: Parameters before it.
            after: And after it.
            own: This member's entries of :meth:`tensors`.

        Returns:
            The parameters to go on with.
        """
        return after

    def tensors(self) -> "Mapping[str, Tensor]":
        """What :meth:`update` needs of each member, name -> ``[M, ...]``, such as masks."""
        return {}
