"""The recipe: everything that decides how a population is trained, in one frozen record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from math import cos, pi
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from heldout.engine.training.intervention import Intervention
from heldout.records import Refusal

PerMember = float | Sequence[float]
OPTIMIZERS = ("sgd", "adam", "adamw", "gradient-descent", "sam")
SCHEDULES = ("constant", "cosine", "linear", "inverse-sqrt", "step")
STOPS = ("steps", "loss", "fit", "plateau")
#: Fields that may differ from member to member.
EACH = ("lr", "momentum", "weight_decay", "target_loss", "label_noise", "order")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How networks are trained. Numbers marked *each* may be one for all members or a sequence of one for each.

    Attributes:
        optimizer: ``"sgd"`` (momentum, Nesterov), ``"adam"`` (decay added to the gradient), ``"adamw"`` (decay apart),
            ``"gradient-descent"`` (SGD on the whole training set), ``"sam"`` (Foret et al. 2021, on SGD).
        lr: Learning rate, each.
        momentum: Of SGD, each.
        nesterov: Whether the momentum looks ahead.
        betas: Decay rates of Adam's moments.
        epsilon: Added to Adam's denominator.
        rho: SAM's radius.
        weight_decay: Each.
        batch_size: Examples a step, drawn without replacement epoch by epoch; ``None`` for the whole training set.
        steps: After which all stop.
        loss: As of a Subject.
        schedule: Of the learning rate, over ``steps``.
        warmup: Steps of linear rise before it.
        milestones: Of ``"step"``: after these the rate is multiplied by ``factor``.
        factor: Of ``"step"``.
        stop: What ends a member's training before ``steps``: ``"loss"`` (mean training loss at or below ``target_loss``),
            ``"fit"`` (every training label predicted), ``"plateau"`` (no checked loss 1 % below the best in ``patience``
            checks), or several that must hold together; ``"steps"`` for none.
        target_loss: Each.
        patience: Checks.
        check_every: Steps between looks at the whole training set, in evaluation mode.
        label_noise: Share of training labels drawn anew, uniformly over the classes (the true one may return), each.
        subset: Training examples a member sees, drawn at random for each; ``None`` for all.
        order: What seeds a member's batches; ``None`` for its own number, 0 for one order that all share.
        dropout: Rate of every dropout layer; ``None`` leaves them as they are.
        batch_norm: ``"train"`` (batch statistics, running ones updated) or ``"frozen"``.
        interventions: Applied in this order.

    Raises:
        Refusal: If a field is out of its range.

    Example:
        >>> Recipe(lr=[0.1, 0.01], steps=100).lr
        (0.1, 0.01)
    """

    optimizer: str = "sgd"
    lr: PerMember = 0.1
    momentum: PerMember = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    rho: float = 0.05
    weight_decay: PerMember = 0.0
    batch_size: int | None = 64
    steps: int = 2000
    loss: str | Callable[[Tensor, Tensor], Tensor] = "cross-entropy"
    schedule: str = "constant"
    warmup: int = 0
    milestones: tuple[int, ...] = ()
    factor: float = 0.1
    stop: str | tuple[str, ...] = "steps"
    target_loss: PerMember = 0.01
    patience: int = 10
    check_every: int = 25
    label_noise: PerMember = 0.0
    subset: int | None = None
    order: int | Sequence[int] | None = None
    dropout: float | None = None
    batch_norm: str = "train"
    interventions: tuple[Intervention, ...] = ()

    def __post_init__(self) -> None:
        """Plain values, checked."""
        for field in fields(self):
            object.__setattr__(self, field.name, _plain(getattr(self, field.name)))
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        if self.optimizer == "gradient-descent":
            object.__setattr__(self, "batch_size", None)
        check(self)

    def each(self, name: str, numbers: Sequence[int]) -> Tensor:
        """A field's values for some members, float64.

        Args:
            name: Of the field.
            numbers: The members' places in the population.

        Returns:
            ``[m]``.
        """
        value = getattr(self, name)
        values = [float(value[number] if isinstance(value, tuple) else value) for number in numbers]
        return torch.tensor(values, dtype=torch.float64)

    def for_members(self, members: Sequence[int]) -> Self:
        """The recipe of some members alone.

        Args:
            members: Their places.

        Returns:
            The recipe with the sequences of those members.
        """
        changes: dict[str, Any] = {
            n: tuple(getattr(self, n)[m] for m in members) for n in EACH if isinstance(getattr(self, n), tuple)
        }
        return replace(self, **changes)

    def check_members(self, members: int) -> None:
        """Refuse sequences that are not one value for each member.

        Args:
            members: M.

        Raises:
            Refusal: If a length differs.
        """
        for name in EACH:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != members:
                raise Refusal(
                    given=f"{name} had {len(value)} values for {members} members",
                    expected="one number, or one for each member",
                    do=f"pass {members} values",
                )

    def rate_factor(self, step: int) -> float:
        """What the learning rate is multiplied by.

        Args:
            step: From 0.

        Returns:
            The factor.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        if self.schedule == "cosine":
            return 0.5 * (1 + cos(pi * min(1.0, share)))
        if self.schedule == "linear":
            return max(0.0, 1 - share)
        if self.schedule == "inverse-sqrt":
            return float((max(1, self.warmup) / max(1, self.warmup, step + 1)) ** 0.5)
        if self.schedule == "step":
            return float(self.factor ** sum(step >= milestone for milestone in self.milestones))
        return 1.0

    def but(self, **changes: Any) -> Self:
        """The recipe with some fields changed.

        Args:
            **changes: Field -> value.

        Returns:
            The new recipe.

        Raises:
            Refusal: If a field does not exist.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise Refusal(
                    given=f"recipe field '{name}'", expected=f"one of {', '.join(known)}", do="correct its name"
                )
        return replace(self, **changes)


def check(recipe: Recipe) -> None:
    """Refuse a recipe that cannot be followed, at the first field out of its range.

    Args:
        recipe: Any.

    Raises:
        _wrong: A refusal that names the field.
    """
    for name, choices in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("batch_norm", ("train", "frozen"))):
        if getattr(recipe, name) not in choices:
            raise _wrong(recipe, name, f"one of {', '.join(choices)}")
    if not isinstance(recipe.stop, tuple) or not recipe.stop or not all(name in STOPS for name in recipe.stop):
        raise _wrong(recipe, "stop", f"some of {', '.join(STOPS)}")
    most = float("inf")
    ranges: dict[str, tuple[float, float]] = {
        "lr": (0, most), "momentum": (0, 1), "weight_decay": (0, most), "label_noise": (0, 1), "target_loss": (-most, most),
        "rho": (0, most), "epsilon": (0, most), "factor": (0, most),
    }  # fmt: skip
    for name, (least, most) in ranges.items():
        value, alone = getattr(recipe, name), "" if name not in EACH else ", or one for each member"
        for each in value if alone and isinstance(value, tuple) else (value,):
            if not isinstance(each, int | float) or not least <= each <= most:
                raise _wrong(recipe, name, f"a number from {least:g} to {most:g}{alone}")
    for name, fewest in {"steps": 0, "warmup": 0, "check_every": 1, "patience": 1}.items():
        if not _counts(getattr(recipe, name), fewest):
            raise _wrong(recipe, name, f"a whole number from {fewest}")
    for name in ("batch_size", "subset"):
        if getattr(recipe, name) is not None and not _counts(getattr(recipe, name), 1):
            raise _wrong(recipe, name, "a whole number from 1, or None for all examples")
    orders = recipe.order if isinstance(recipe.order, tuple) else (recipe.order or 0,)
    if not all(_counts(order, 0) for order in orders):
        raise _wrong(recipe, "order", "a whole number from 0, one for each member, or None")
    if not isinstance(recipe.milestones, tuple) or not all(_counts(each, 0) for each in recipe.milestones):
        raise _wrong(recipe, "milestones", "whole numbers of steps, such as (500, 750)")
    if not isinstance(recipe.betas, tuple) or len(recipe.betas) != 2 or not all(_below_one(b) for b in recipe.betas):
        raise _wrong(recipe, "betas", "two numbers from 0 to below 1")
    if recipe.dropout is not None and not _below_one(recipe.dropout):
        raise _wrong(recipe, "dropout", "a number from 0 to below 1, or None")
    pieces = recipe.interventions
    if not isinstance(pieces, tuple) or not all(isinstance(piece, Intervention) for piece in pieces):
        raise _wrong(recipe, "interventions", "a tuple of interventions, such as (find('mixup').function(alpha=0.2),)")


def _plain(value: Any) -> Any:
    """Tensors, arrays and their numbers as Python's; lists as tuples."""
    value = value.tolist() if isinstance(value, Tensor | np.ndarray | np.generic) else value
    return tuple(_plain(each) for each in value) if isinstance(value, list | tuple) else value


def _counts(value: Any, fewest: int) -> bool:
    return type(value) is int and value >= fewest


def _below_one(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1


def _wrong(recipe: Recipe, name: str, expected: str) -> Refusal:
    return Refusal(given=f"{name} was {getattr(recipe, name)!r}", expected=expected, do=f"pass another {name}")
