"""Whether networks, data and labels fit each other."""

from typing import Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from heldout.engine.population import Population
from heldout.engine.subject.examples import Examples
from heldout.engine.subject.losses import Loss
from heldout.records import Refusal

#: Of the largest output; float16 rounds at 1e-3.
BATCH_TOLERANCE = 1e-2


class Assembled(Protocol):
    """Networks with their data: a Subject, or a training that is about to begin."""

    @property
    def population(self) -> Population:
        """The networks."""

    @property
    def train(self) -> Examples:
        """Training data."""

    @property
    def test(self) -> Examples | None:
        """Data that the networks have not seen, or none."""

    @property
    def loss(self) -> Loss:
        """One an example."""


def few_outputs(subject: Assembled, argument: str = "train") -> Tensor:
    """Outputs of the first member on a few training examples; the network is also tried on a few test examples.

    Args:
        subject: Freshly assembled.
        argument: The training data's name, for the sentence if they are refused.

    Returns:
        Outputs ``[N', ...]``.

    Raises:
        Refusal: If the network fails on its data, is not deterministic, or answers test data in another shape.
    """
    outputs = _answers(subject, subject.train, argument)
    if subject.test is not None and _answers(subject, subject.test, "test").shape[1:] != outputs.shape[1:]:
        raise Refusal(
            given="the network's outputs have another shape on test x than on train x",
            expected="test inputs of the same kind as the training inputs",
            do="check how both were prepared",
        )
    return outputs


def _answers(subject: Assembled, examples: Examples, argument: str) -> Tensor:
    """Made twice: a network must give the same answer twice."""
    few = examples.take(slice(0, min(4, len(examples))))
    x = few.x if not few.x_per_member else tree_map(lambda leaf: leaf[0], few.x)
    one = Population(subject.population.member(0))
    try:
        first, second = one(x)[0], one(x)[0]
        # the first half again among others: of one shape, so that rounding is the same
        again = torch.arange(len(few)) % max(1, len(few) // 2)
        half = one(tree_map(lambda leaf: leaf[again.to(leaf.device)], x))[0][: len(few) // 2]
    except Refusal:
        raise
    except Exception as error:  # a stranger's forward may raise anything; the reason is theirs, the sentence ours
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in tree_leaves(x))
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise Refusal(
            given=f"the network failed on {argument} x of shape {shapes} ({reason})",
            expected="inputs that the network takes",
            do="check the inputs' shape and type against the network's forward",
        ) from error
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise Refusal(
            given="the network gave two different answers to the same inputs in evaluation mode",
            expected="a deterministic network",
            do="make dropout and noise depend on self.training",
        )
    if half.numel() and half.shape == first[: len(half)].shape and _apart(first[: len(half)], half):
        raise Refusal(
            given="the network's answer for an example changed with the other examples of its batch",
            expected="a network that treats every example on its own in evaluation mode",
            do="replace statistics of the batch by fixed ones",
        )
    return first


def _apart(together: Tensor, alone: Tensor) -> bool:
    """Whether two answers differ by more than the order of a sum explains."""
    difference = (together - alone).abs().nan_to_num()
    return float(difference.max()) > BATCH_TOLERANCE * float(alone.abs().nan_to_num().max())


def output_faults(subject: Assembled, outputs: Tensor, argument: str = "train") -> list[Refusal]:
    """Outputs and labels that do not fit each other.

    Args:
        subject: Freshly assembled.
        outputs: Of the first member on a few examples.
        argument: The training data's name.

    Returns:
        The faults.
    """
    faults = []
    if not bool(torch.isfinite(outputs).all()):
        faults.append(
            Refusal(
                given="the network's outputs have NaN or infinite values",
                expected="finite outputs",
                do="check the weights",
            )
        )
    named = [(name, e) for name, e in ((argument, subject.train), ("test", subject.test)) if e is not None]
    if subject.loss.task == "regression":
        for name, examples in named:
            y = examples.y[0] if examples.y_per_member else examples.y
            wanted, given = outputs[0].numel(), y[0].numel()
            if wanted != given:
                faults.append(
                    Refusal(
                        given=f"{name} y has {given} numbers an example and the network gives {wanted}",
                        expected="as many targets as outputs",
                        do="check the targets, or name the loss of a classifier",
                    )
                )
        return faults
    single = subject.loss.name == "binary-cross-entropy"
    if not single and (outputs.ndim != 2 or outputs.shape[1] < 2):
        return [
            *faults,
            Refusal(
                given=f"the network's output for one example has shape {tuple(outputs.shape[1:])}",
                expected="one score for each of two or more classes",
                do="use loss='binary-cross-entropy' for one logit or loss='squared-error' for a regression",
            ),
        ]
    classes = classes_in(outputs, subject)
    for name, examples in named:
        y = examples.y
        if y.is_floating_point() and not bool((y == y.round()).all()):
            faults.append(
                Refusal(
                    given=f"{name} y has fractions",
                    expected=f"classes 0 to {classes - 1}",
                    do="pass class numbers, or loss='squared-error' for a regression",
                )
            )
        elif y.ndim != (2 if examples.y_per_member else 1):
            faults.append(
                Refusal(
                    given=f"{name} y has shape {tuple(y.shape)}",
                    expected="one class number an example",
                    # the argmax of a column is 0 everywhere, which would pass as labels
                    do="pass its one column, y[..., 0]" if y.shape[-1] == 1 else "pass y.argmax(1) if it is one-hot",
                )
            )
        elif int(y.min()) < 0 or int(y.max()) >= classes:
            faults.append(
                Refusal(
                    given=f"{name} y has labels from {int(y.min())} to {int(y.max())}",
                    expected="labels 0 and 1, as binary-cross-entropy has them"
                    if single
                    else f"classes 0 to {classes - 1}, as the network has {classes} outputs",
                    do="renumber the labels from 0",
                )
            )
    return faults


def classes_in(outputs: Tensor, subject: Assembled) -> int:
    """The number of classes that the outputs tell apart.

    Args:
        outputs: ``[N, C]``, or one logit an example.
        subject: Freshly assembled.

    Returns:
        C.
    """
    return 2 if subject.loss.name == "binary-cross-entropy" else int(outputs.shape[1])
