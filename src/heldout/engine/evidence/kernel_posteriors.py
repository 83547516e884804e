"""What a Gaussian process that has seen the training data still allows on the test data: the kernel's hypothesis space."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.neighbours import chosen, has_real_inputs
from heldout.engine.evidence.outputs import class_scores, has_test_data
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable

MOST_TESTED = 500  # test examples: their covariance is factorised
NOISE = 1e-4  # variance of what fits against the kernel's height: hypotheses fit to a hundredth of what they vary over


class KernelPosterior(NamedTuple):
    """The mean squared test error of functions that fit, as a quadratic form in Gaussians.

    Attributes:
        variances: Of its squares, ``[M, T]``, float64, the same for each of the outputs.
        offsets: Squared distances from zero of their centres, added over outputs, ``[M, T]``.
        own_error: The networks' own mean squared error on the same test examples, ``[M]``.
        outputs: O.
    """

    variances: Tensor
    offsets: Tensor
    own_error: Tensor
    outputs: int


def has_kernel(subject: Subject) -> None:
    """Demand test data, and two training inputs that are real numbers.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there is but one.
    """
    has_test_data(subject)
    has_real_inputs(subject)
    if len(subject.train) < 2:
        raise NotApplicable("there is one training example, and no distance", do="bring at least two")


@evidence(thorough=True, requires=has_kernel)
def test_kernel_posterior(
    subject: Subject, labels: Tensor, test_labels: Tensor, test_outputs: Tensor, seed: int
) -> KernelPosterior:
    r"""The test error of functions drawn from a Gaussian process given the training data, exactly.

    The kernel is a Gaussian one whose length is the median distance of the training inputs; its height is the likeliest for the
    training targets, so that functions vary more where the kernel does not suit the task. Classes are vectors with 1 for the
    class, 1 / C subtracted. At most 1000 training and 500 test examples are used.

    Args:
        subject: With test data.
        labels: ``[M, N, ...]``.
        test_labels: ``[M, N', ...]``.
        test_outputs: ``[M, N', ...]``.
        seed: Of the choice of examples.

    Returns:
        The quadratic form of the mean squared error over test examples and outputs.
    """
    assert subject.test is not None  # has_test_data was asked first
    few = chosen(subject, seed)
    tested = torch.randperm(len(subject.test), generator=stream(seed, "kernel test"))[:MOST_TESTED]
    x, x_test = flat(subject, subject.train, few), flat(subject, subject.test, tested)
    few, tested = few.to(labels.device), tested.to(labels.device)
    y, y_test = targets(subject, labels[:, few]), targets(subject, test_labels[:, tested])
    own = answers(subject, test_outputs[:, tested])
    if subject.loss.task == "classification":
        y, y_test, own = (part - 1 / y.shape[2] for part in (y, y_test, own))
    else:
        middle = y.mean(1, keepdim=True)
        y, y_test, own = y - middle, y_test - middle, own - middle
    mean, covariance, height = conditioned(x, y, x_test)
    values, vectors = torch.linalg.eigh(covariance)
    entries = y_test.shape[1] * y_test.shape[2]
    turned = vectors.mT @ (mean - y_test)
    return KernelPosterior(
        height[:, None] * values.clamp(min=0.0) / entries,
        turned.square().sum(2) / entries,
        (own - y_test).square().mean((1, 2)),
        y_test.shape[2],
    )


def conditioned(x: Tensor, y: Tensor, x_test: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Mean and covariance of a Gaussian process given what it was seen to be, and the height that makes that likeliest.

    .. math:: \mu = K_{tX} (K_{XX} + \sigma^2 I)^{-1} y, \quad S = K_{tt} - K_{tX} (K_{XX} + \sigma^2 I)^{-1} K_{Xt}, \quad
        a = \tfrac1{n O} \operatorname{tr} y^T (K_{XX} + \sigma^2 I)^{-1} y

    Args:
        x: ``[M, n, F]``, or shared ``[1, n, F]``.
        y: ``[M, n, O]``.
        x_test: ``[M, T, F]`` or ``[1, T, F]``.

    Returns:
        ``[M, T, O]``; ``[M, T, T]`` or ``[1, T, T]``, of height 1; and the height ``[M]``.
    """
    inside, across, among = (squared(*pair) for pair in ((x, x), (x_test, x), (x_test, x_test)))
    count = x.shape[1]
    apart = torch.triu_indices(count, count, offset=1, device=x.device)
    # equal inputs throughout have no length of their own
    length = inside[:, apart[0], apart[1]].median(1).values.clamp(min=1e-300)[:, None, None]
    seen, beside, unseen = (torch.exp(-square / (2 * length)) for square in (inside, across, among))
    root = torch.linalg.cholesky(seen + NOISE * torch.eye(count, dtype=seen.dtype, device=seen.device))
    solved = torch.cholesky_solve(y, root.expand(len(y), -1, -1))
    half = torch.linalg.solve_triangular(root, beside.mT, upper=False)
    return beside @ solved, unseen - half.mT @ half, (y * solved).mean((1, 2))


def squared(left: Tensor, right: Tensor) -> Tensor:
    """Squared distances of all pairs.

    Args:
        left: ``[M, a, F]``.
        right: ``[M, b, F]``.

    Returns:
        ``[M, a, b]``.
    """
    middle = right.mean(1, keepdim=True)
    left, right = left - middle, right - middle
    both = left.square().sum(2).unsqueeze(2) + right.square().sum(2).unsqueeze(1)
    return (both - 2 * left @ right.mT).clamp(min=0.0)


def flat(subject: Subject, examples: Examples, places: Tensor) -> Tensor:
    """Inputs in rows.

    Args:
        subject: Whose device it is.
        examples: Training or test data.
        places: Which of them.

    Returns:
        ``[M, n, F]``, or ``[1, n, F]`` where all share them; float64.
    """
    some = examples.take(places)
    leaves = [leaf if some.x_per_member else leaf.unsqueeze(0) for leaf in tree_leaves(some.x)]
    return torch.cat([leaf.to(subject.population.device).flatten(2).double() for leaf in leaves], dim=2)


def targets(subject: Subject, labels: Tensor) -> Tensor:
    """What a function should say.

    Args:
        subject: Whose task it is.
        labels: ``[M, n, ...]``.

    Returns:
        ``[M, n, O]``, float64: classes as vectors with 1 for the class.

    Raises:
        NotApplicable: If an example has more than one label.
    """
    if subject.loss.task == "classification":
        if labels.ndim > 2:
            raise NotApplicable("every example has more than one label", do="use the readings of the loss instead")
        return torch.nn.functional.one_hot(labels.long(), max(2, subject.classes or 2)).double()
    return labels.double().flatten(2) if labels.ndim > 2 else labels.double().unsqueeze(2)


def answers(subject: Subject, outputs: Tensor) -> Tensor:
    """What the networks say, in the same units: probabilities of the classes.

    Args:
        subject: Whose task it is.
        outputs: ``[M, n, ...]``.

    Returns:
        ``[M, n, O]``, float64.
    """
    if subject.loss.task == "classification":
        return class_scores(subject, outputs).double().softmax(-1)
    return outputs.double().flatten(2) if outputs.ndim > 2 else outputs.double().unsqueeze(2)
