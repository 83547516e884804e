"""The examples of ``heldout certify``: one dense network each, on real digits, on MNIST-1D, on random labels."""

import torch

from heldout.datasets.digits import digits
from heldout.datasets.one_dimensional_digits import one_dimensional_digits
from heldout.engine.population import Population, stream
from heldout.engine.subject import Subject
from heldout.engine.training import Plan, Recipe, fit
from heldout.networks.dense import dense
from heldout.records import Refusal

#: Name -> what it is, in words.
EXAMPLES = {
    "digits": "a dense network on 8x8 digits",
    "one-dimensional-digits": "a dense network on MNIST-1D",
    "random-labels": "a dense network on 8x8 digits with random labels",
}
RECIPE = Recipe(optimizer="adam", lr=1e-3, batch_size=50, steps=2000, stop="loss")


def check_name(name: str, alone: bool) -> None:
    """Refuse what names no example, or names one beside a network.

    Args:
        name: Empty for the default.
        alone: Whether no network was given.

    Raises:
        Refusal: If so.
    """
    if name and (not alone or name not in EXAMPLES):
        raise Refusal(
            given=f"--example was '{name}'" + ("" if alone else " beside --network"),
            expected=f"one of {', '.join(EXAMPLES)}, without --network",
            do="correct the name" if alone else "leave one of the two out",
        )


def certified_example(name: str = "digits", *, seed: int = 0, train_size: int | None = None) -> Subject:
    """One dense network for certificates.

    A name that is none of these is refused. On random labels, those of training and of held-out data, no network errs less than nine
    times in ten: every certificate there must be empty or true.

    Args:
        name: Of :data:`EXAMPLES`.
        seed: Of split, initialisation, batches and random labels; MNIST-1D itself is the published set.
        train_size: Training examples; 1,000 digits, the others held out, or 4,000 of MNIST-1D and 1,000 held out, unless given.

    Returns:
        The subject, with initial weights and held-out data.
    """
    check_name(name, alone=True)
    if name == "one-dimensional-digits":
        train, test = one_dimensional_digits(train_size=train_size or 4000)
        inputs = train[0].shape[1]
    else:
        train, test = digits(train_size=train_size or 1000, seed=seed)
        inputs = 64
    if name == "random-labels":
        shuffled = [
            torch.randint(0, 10, y.shape, generator=stream(seed, "random labels", part))
            for part, (_, y) in enumerate((train, test))
        ]
        train, test = (train[0], shuffled[0]), (test[0], shuffled[1])
    initial = Population.of(lambda: dense(inputs=inputs, widths=(128,)), 1, seed=seed)
    final = fit(initial, train, RECIPE, seed=seed, plan=Plan(1)).final
    return Subject(
        final, train, test, initial=initial, duplicates="allow", name=f"The built-in example: {EXAMPLES[name]}"
    )
