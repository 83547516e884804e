"""What is wrong with a training, found before its first step."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_map

from heldout.engine.population import Population
from heldout.engine.population.calling import call_module, placed
from heldout.engine.subject.examples import Examples
from heldout.engine.subject.fitting import few_outputs, output_faults
from heldout.engine.subject.losses import NAMED, Loss
from heldout.engine.training.intervention import Setting
from heldout.engine.training.plans import Plan
from heldout.engine.training.recipe import Recipe
from heldout.records import Refusal, refuse


@dataclass(frozen=True, slots=True)
class Work:
    """Networks and data of a training.

    Attributes:
        population: As initialised.
        train: Labels without noise.
        loss: One an example.
        test: None: readings look after their own data.
    """

    population: Population
    train: Examples
    loss: Loss
    test: Examples | None = None


def check_settings(recipe: Any, seed: Any, numbers: Any, members: int, plan: Any = None) -> None:
    """Refuse what is not of the kind that a training takes.

    Args:
        recipe: A recipe.
        seed: A whole number.
        numbers: One a member, or None.
        members: M.
        plan: A plan, or None.

    Raises:
        Refusal: At the first that is not.
    """
    if not isinstance(recipe, Recipe):
        raise Refusal(
            given=f"recipe was a {type(recipe).__name__}", expected="a heldout.Recipe", do="pass heldout.Recipe(lr=0.1)"
        )
    recipe.check_members(members)
    if type(seed) is not int:
        raise Refusal(given=f"seed was {seed!r}", expected="a whole number of Python's", do="pass seed=0")
    if numbers is not None and not _whole_numbers(numbers, members):
        raise Refusal(
            given=f"numbers was {numbers!r} for {members} members",
            expected="one whole number from 0 for each member",
            do=f"pass numbers={list(range(members))}" if members <= 8 else "leave numbers out",
        )
    if plan is not None and not isinstance(plan, Plan):
        raise Refusal(
            given=f"plan was a {type(plan).__name__}", expected="a Plan, or None to choose one", do="leave plan out"
        )


def check_work(work: Work, recipe: Recipe, batch: int) -> None:
    """Refuse networks, data, loss and recipe that do not fit each other.

    Args:
        work: Networks and data.
        recipe: How they are to be trained.
        batch: Examples a step.

    Raises:
        Refusal: At the first that does not fit.
    """
    trained = {name for name, parameter in work.population.template.named_parameters() if parameter.requires_grad}
    if not trained:
        raise Refusal(
            given="the network has no parameter that requires a gradient",
            expected="something to train",
            do="call requires_grad_(True) on the layers to train",
        )
    outputs = few_outputs(work, "data")
    if work.loss.name in NAMED:
        # a member that begins at NaN is stopped and marked, as one that arrives there
        refuse(output_faults(work, outputs.nan_to_num(), "data"))
    else:
        _try_loss(work, outputs)
    if "fit" in recipe.stop and not _has_errors(work.loss, outputs):
        raise Refusal(
            given=f"stop was {recipe.stop!r} with loss '{work.loss.name}' and outputs of shape {tuple(outputs.shape[1:])}",
            expected="class labels, which can be predicted exactly",
            do="pass stop='loss' with a target_loss",
        )
    if batch == 1 and recipe.batch_norm == "train" and not _normalises_one(work):
        raise Refusal(
            given="batch_size was 1 with a batch norm",
            expected="at least 2 examples, which have statistics",
            do="pass batch_size=2 or batch_norm='frozen'",
        )
    shapes = {name: tuple(tensor.shape[1:]) for name, tensor in work.population.parameters.items() if name in trained}
    _check_interventions(recipe, Setting(len(work.population), batch, shapes, work.loss))


def _check_interventions(recipe: Recipe, setting: Setting) -> None:
    apart = [piece for piece in recipe.interventions if piece.parts != 1]
    if len(apart) > 1:
        names = " and ".join(type(piece).__name__ for piece in apart)
        raise Refusal(
            given=f"interventions held {names}, which both combine gradients",
            expected="at most one such",
            do="leave one out",
        )
    for piece in apart:
        if piece.parts and setting.batch % piece.parts:
            raise Refusal(
                given=f"batch_size was {setting.batch} with {type(piece).__name__} of {piece.parts} parts",
                expected=f"a multiple of {piece.parts}",
                do=f"pass batch_size={max(1, setting.batch // piece.parts) * piece.parts}",
            )
    for piece in recipe.interventions:
        piece.check(setting)


def _normalises_one(work: Work) -> bool:
    """Whether every batch norm finds more than one value a channel in one example."""
    network = copy.deepcopy(work.population.member(0))
    for layer in network.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.train()
    one = work.train.take(slice(0, 1)).x
    one = tree_map(lambda leaf: leaf[0], one) if work.train.x_per_member else one
    try:
        call_module(network, placed(one, work.population.device, work.population.dtype))
    except ValueError:  # what torch says of a single value
        return False
    return True


def _has_errors(loss: Loss, outputs: Tensor) -> bool:
    if loss.name == "binary-cross-entropy":
        return True
    return loss.task == "classification" and outputs.ndim == 2 and outputs.shape[1] > 1


def _try_loss(work: Work, outputs: Tensor) -> None:
    y = work.train.y[0] if work.train.y_per_member else work.train.y
    try:
        work.loss.per_example(outputs, y[: len(outputs)].to(outputs.device))
    except Refusal:
        raise
    except Exception as error:  # a stranger's loss may raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Refusal(
            given=f"the loss '{work.loss.name}' failed on outputs of shape {tuple(outputs.shape)} "
            f"and labels of type {str(y.dtype).removeprefix('torch.')} ({reason})",
            expected="a callable from (outputs, labels) to one loss an example",
            do="check it on one batch",
        ) from error


def _whole_numbers(numbers: Any, members: int) -> bool:
    found = numbers.tolist() if isinstance(numbers, Tensor) else numbers
    if not isinstance(found, Sequence) or len(found) != members:
        return False
    return all(isinstance(number, Integral) and int(number) >= 0 for number in found)
