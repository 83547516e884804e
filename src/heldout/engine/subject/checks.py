"""What is wrong with an input, found before hours are spent, and all of it at once."""

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from heldout.engine.population import Population
from heldout.engine.subject.examples import Examples, count_of
from heldout.engine.subject.fitting import classes_in, few_outputs, output_faults
from heldout.records import Refusal, refuse

if TYPE_CHECKING:
    from heldout.engine.subject.subject import Subject


def check(subject: "Subject") -> int | None:
    """Refuse a subject that cannot be measured.

    Args:
        subject: Freshly assembled.

    Returns:
        The number of classes, or None for a regression.
    """
    members = len(subject.population)
    faults = [*weight_faults(subject.population, "network")]
    if subject.initial is not None:
        faults += initial_faults(subject.population, subject.initial)
    for argument, examples in (("train", subject.train), ("test", subject.test)):
        if examples is not None:
            faults += data_faults(examples, argument, members)
    faults += setting_faults(subject)
    faults += batch_statistics_faults(subject.population)
    refuse(faults)
    outputs = few_outputs(subject)
    refuse(output_faults(subject, outputs))
    return classes_in(outputs, subject) if subject.loss.task == "classification" else None


def weight_faults(population: Population, argument: str) -> list[Refusal]:
    """NaN or infinite weights or buffers.

    Args:
        population: The networks.
        argument: The argument's name.

    Returns:
        One fault for each tensor that has any.
    """
    faults = []
    for name, tensor in {**population.parameters, **population.buffers}.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            count = int((~torch.isfinite(tensor)).sum())
            faults.append(
                Refusal(
                    given=f"{argument} has {count} NaN or infinite values in '{name}'",
                    expected="finite weights",
                    do="load a checkpoint from before training diverged",
                )
            )
    return faults


def batch_statistics_faults(population: Population) -> list[Refusal]:
    """Batch norms that keep no statistics: what they say of an example depends on the others in its batch.

    Args:
        population: The networks.

    Returns:
        One fault naming the layers.
    """
    names = [
        name
        for name, module in population.template.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None
    ]
    if not names:
        return []
    return [
        Refusal(
            given=f"network has batch norms without running statistics ({', '.join(names[:3])})",
            expected="layers whose output for an example does not depend on the rest of its batch",
            do="train with track_running_stats=True, or use a norm over channels or groups",
        )
    ]


def initial_faults(population: Population, initial: Population) -> list[Refusal]:
    """Initial weights that do not belong to the network.

    Args:
        population: The trained networks.
        initial: The networks at initialisation.

    Returns:
        The faults.
    """
    faults = weight_faults(initial, "initial")
    ours = {name: tensor.shape[1:] for name, tensor in population.parameters.items()}
    theirs = {name: tensor.shape[1:] for name, tensor in initial.parameters.items()}
    if ours != theirs or len(initial) != len(population):
        names = [name for name in [*ours, *theirs] if ours.get(name) != theirs.get(name)]
        where = f" ('{names[0]}' differs)" if names else f" ({len(initial)} networks for {len(population)})"
        faults.append(
            Refusal(
                given=f"initial has another architecture than network{where}",
                expected="the same networks before training",
                do="pass the weights that this training started from, or leave initial out",
            )
        )
    elif all(torch.equal(population.parameters[name], initial.parameters[name]) for name in ours):
        faults.append(
            Refusal(
                given="initial has the same weights as network",
                expected="the weights before training",
                do="copy the network before training (copy.deepcopy): the optimiser changes it in place",
            )
        )
    return faults


def data_faults(examples: Examples, argument: str, members: int) -> list[Refusal]:
    """Empty, ragged or not finite data.

    Args:
        examples: Inputs and labels.
        argument: ``"train"`` or ``"test"``.
        members: M.

    Returns:
        The faults.
    """

    def fault(given: str, expected: str, do: str) -> Refusal:
        return Refusal(given=f"{argument} {given}", expected=expected, do=do)

    if examples.y.ndim == 0:
        return [fault("y was a single number", "one label an example", "pass an array of labels")]
    if not tree_leaves(examples.x):
        return [fault("x was empty", "an array of inputs", "pass the inputs")]
    lengths = count_of(examples.x, examples.x_per_member)
    if lengths != {len(examples)}:
        found = " and ".join(str(length) for length in sorted(lengths))
        return [
            fault(
                f"x has {found} examples and y has {len(examples)}", "equal lengths", "pass the labels of these inputs"
            )
        ]
    if len(examples) == 0:
        return [fault("has no examples", "at least one example", "check the file or the split")]
    if examples.y_per_member and examples.y.shape[0] != members:
        return [
            fault(f"y has labels for {examples.y.shape[0]} members", f"labels for {members}", "pass one row a network")
        ]
    if examples.x_per_member and {len(leaf) for leaf in tree_leaves(examples.x)} != {members}:
        sets = len(tree_leaves(examples.x)[0])
        return [fault(f"x has inputs for {sets} members", f"inputs for {members}", "pass one set a network")]
    faults = []
    for part, leaf in [*(("x", leaf) for leaf in tree_leaves(examples.x)), ("y", examples.y)]:
        if leaf.is_floating_point() and not bool(torch.isfinite(leaf).all()):
            count = int((~torch.isfinite(leaf)).sum())
            faults.append(
                fault(f"{part} has {count} NaN or infinite values", "finite numbers", "clean or drop these examples")
            )
    return faults


def setting_faults(subject: "Subject") -> list[Refusal]:
    """Settings that contradict themselves.

    Args:
        subject: Freshly assembled.

    Returns:
        The faults.
    """
    faults = []
    if subject.duplicates not in ("refuse", "allow"):
        faults.append(
            Refusal(
                given=f"duplicates was '{subject.duplicates}'", expected="'refuse' or 'allow'", do="choose one of these"
            )
        )
    if subject.groups and len(subject.groups) != len(subject.population):
        faults.append(
            Refusal(
                given=f"groups has {len(subject.groups)} words for {len(subject.population)} networks",
                expected="one word a network",
                do="pass one group a network",
            )
        )
    sample = 0 if subject.test is None else len(subject.test)
    if subject.privacy is not None and not 0 < subject.privacy < float("inf"):
        faults.append(
            Refusal(
                given=f"privacy was {subject.privacy!r}",
                expected="a positive number, the epsilon of differential privacy",
                do="pass that of the training, or leave privacy= out",
            )
        )
    if subject.pool is not None and not (isinstance(subject.pool, int) and 0 < sample <= subject.pool):
        faults.append(
            Refusal(
                given=f"pool was {subject.pool!r} with {sample} test examples",
                expected="a whole number, at least the number of test examples, which must be there",
                do="pass the size of the pool that the test examples were drawn from, they included",
            )
        )
    memory = subject.population.memory
    if not isinstance(memory, int) or memory < 1:
        faults.append(
            Refusal(given=f"memory was {memory!r}", expected="a positive number of bytes", do="pass memory=32 * 2**20")
        )
    if subject.loss_range is not None and not _ascending(subject.loss_range):
        faults.append(
            Refusal(
                given=f"loss_range was {subject.loss_range!r}",
                expected="two finite numbers, smaller first",
                do="pass (0, b)",
            )
        )
    return faults


def _ascending(span: object) -> bool:
    if not isinstance(span, Sequence) or len(span) != 2 or not all(isinstance(end, Real) for end in span):
        return False
    return bool(float("-inf") < span[0] < span[1] < float("inf"))
