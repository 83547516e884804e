"""The built-in example: four networks trained on true labels, four on random ones, audited from the training data alone."""

import torch

from heldout.datasets.digits import digits
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Plan, Recipe, fit
from heldout.networks.dense import dense
from heldout.networks.small_convolutional import small_convolutional
from heldout.records import Refusal
from heldout.verbs.audit import Progress, audit
from heldout.verbs.record import Audit

RECIPE = Recipe(lr=0.1, momentum=0.9, batch_size=100, steps=4000, stop=("loss", "fit"), target_loss=0.01)


def example_subject(*, members: int = 8, train_size: int = 500, seed: int = 0) -> Subject:
    """Train the example's networks: one small convolutional network on real digits, all to the same training loss.

    The first half learns the true labels, the second half labels drawn at random, each network its own (Zhang et al. 2017).
    All reach 100 % training accuracy and a training cross-entropy of at most 0.01, so that nothing on the surface of training
    tells them apart.

    Args:
        members: An even number of networks.
        train_size: Training examples.
        seed: Of split, initialisation, labels and batches.

    Returns:
        The subject, with initial weights, test data and groups.

    Raises:
        Refusal: If a network has not fitted its training data when the steps are spent.
    """
    (x, y), test = digits(train_size=train_size, seed=seed)
    half = members // 2
    noise = [torch.randint(0, 10, y.shape, generator=stream(seed, "random labels", member)) for member in range(half)]
    labels = torch.stack([y] * (members - half) + noise)
    train = Examples(x, labels, y_per_member=True)
    initial = Population.of(small_convolutional, members, seed=seed)
    fitted = fit(initial, train, RECIPE, seed=seed, plan=Plan(half, workers=2))
    if set(fitted.reason) != {"loss+fit"}:
        raise Refusal(
            given=f"after {RECIPE.steps} steps the example's networks had stopped for {', '.join(fitted.reason)}",
            expected="networks that fit their training data",
            do="pass another seed",
        )
    return Subject(
        fitted.final,
        train,
        test,
        initial=initial,
        groups=["true labels"] * (members - half) + ["random labels"] * half,
        name="The built-in example: small convolutional networks on 8x8 digits",
    )


def certified_example(*, train_size: int = 1000, seed: int = 0) -> Subject:
    """One dense network on real digits, for certificates.

    Args:
        train_size: Training examples; the other digits are held out.
        seed: Of split, initialisation and batches.

    Returns:
        The subject, with initial weights and held-out data.
    """
    train, test = digits(train_size=train_size, seed=seed)
    initial = Population.of(lambda: dense(widths=(128,)), 1, seed=seed)
    recipe = Recipe(optimizer="adam", lr=1e-3, batch_size=50, steps=2000, stop="loss")
    final = fit(initial, train, recipe, seed=seed, plan=Plan(1)).final
    return Subject(
        final,
        train,
        test,
        initial=initial,
        duplicates="allow",
        name="The built-in example: a dense network on 8x8 digits",
    )


def example_audit(*, seed: int = 0, delta: float = 0.05, progress: Progress | bool = True) -> Audit:
    """Train and audit the built-in example.

    Args:
        seed: Of everything.
        delta: Failure probability of each certificate.
        progress: As in :func:`heldout.audit`.

    Returns:
        The audit.
    """
    return audit(example_subject(seed=seed), seed=seed, delta=delta, progress=progress)
