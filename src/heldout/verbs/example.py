"""The built-in example: four networks trained on true labels, four on random ones, audited from the training data alone."""

import torch

from heldout.datasets.digits import digits
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Plan, Recipe, fit
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
