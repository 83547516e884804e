"""What does not fit is refused before the first step, by the argument's name."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe, fit
from heldout.records import Refusal

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(24, 4, generator=DRAW)
Y = torch.randint(0, 2, (24,), generator=DRAW)
PLAN = Plan(2)


def network(outputs: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, outputs))


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def piece(name: str, **settings: Any) -> dict[str, Any]:
    return {"interventions": (find(name).function(**settings),)}


def refused(
    match: str, x: Tensor = X, y: Tensor = Y, make: Callable[[], nn.Module] = network, seed: Any = 0, numbers: Any = None,
    plan: Any = PLAN, **fields: Any,
) -> None:  # fmt: skip
    with pytest.raises(Refusal, match=match):
        fit(
            Population.of(make, 2), (x, y), Recipe(steps=2, batch_size=8).but(**fields), seed=seed, numbers=numbers, plan=plan,
        )  # fmt: skip


def test_labels_and_inputs_that_the_network_does_not_take() -> None:
    refused("data y has labels from", y=Y + 1)
    refused("data y has labels from", y=Y - 1)
    refused("data y has fractions", y=Y + 0.5)
    refused("data y has shape", y=Y[:, None])
    refused("data x has 20 examples and y has 24", x=X[:20])
    refused("data x of shape", x=X[:, :3])
    refused("data x of shape", x=(X * 5).long())
    refused("data y has 3 numbers", y=X[:, :3], loss="squared-error")
    refused("labels 0 and 1", y=Y + 1, make=lambda: network(1), loss="binary-cross-entropy")
    refused("no parameter that requires", make=lambda: network().requires_grad_(False))
    refused("the loss 'fails' failed", loss=fails)


def fails(outputs: Tensor, labels: Tensor) -> Tensor:
    return outputs[:, 7]


def test_whole_numbers_of_any_type_are_classes() -> None:
    recipe = Recipe(steps=5, batch_size=8)
    ends = [fit(Population.of(network, 2), (X, y), recipe, plan=Plan(2)).final for y in (Y, Y.float(), Y.bool())]
    assert all(torch.equal(ends[0].parameters["0.weight"], end.parameters["0.weight"]) for end in ends)


def test_seeds_numbers_and_plans() -> None:
    refused("seed was 'a'", seed="a")
    refused("seed was 1.5", seed=1.5)
    refused("numbers was", numbers=[1])
    refused("numbers was", numbers=[-1, 2])
    refused("plan was a str", plan="fast")
    for settings in ({"chunk": 0}, {"chunk": 1, "workers": 0}, {"chunk": 2, "mapped": False}):
        with pytest.raises(Refusal, match="was"):
            Plan(**settings)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="recipe was a dict"):
        fit(Population.of(network, 1), (X, Y), {"lr": 0.1})  # type: ignore[arg-type]


def test_an_exact_fit_needs_labels() -> None:
    refused("stop was", y=X[:, :2], loss="squared-error", stop="fit")
    easy = (X[:, 0] > 0).long()
    recipe = Recipe(optimizer="adam", lr=0.05, loss="binary-cross-entropy", stop="fit", steps=2000, batch_size=8)
    fitted = fit(Population.of(lambda: network(1), 2), (X, easy), recipe, plan=Plan(2))
    assert fitted.reason == ("fit", "fit")
    assert torch.equal(fitted.final(X).squeeze(-1) > 0, (easy > 0).expand(2, 24))


def test_batch_norm_needs_two_values() -> None:
    refused("batch_size was 1", make=normed, batch_size=1)
    fit(Population.of(normed, 2), (X, Y), Recipe(steps=1, batch_size=1, batch_norm="frozen"), plan=Plan(2))
    signals = Population.of(lambda: nn.Sequential(nn.BatchNorm1d(1), nn.Flatten(), nn.Linear(4, 2)), 2)
    assert fit(signals, (X[:, None], Y), Recipe(steps=1, batch_size=1), plan=Plan(2)).reason == ("steps", "steps")


def test_interventions_that_could_not_do_what_they_say() -> None:
    targets = {"y": X[:, :2], "loss": "squared-error"}
    for name, settings in {"label-smoothing": {}, "mixup": {}, "stablemax": {}, "loss-precision": {}}.items():
        refused("loss was 'squared-error'", **targets, **piece(name, **settings))
    refused("masks held 'nope'", **piece("pruning-mask", masks={"nope": torch.ones(2, 3)}))
    refused(
        r"the mask of '0\.weight' had shape \(5, 4\)", **piece("pruning-mask", masks={"0.weight": torch.ones(5, 4)})
    )
    refused("matches no trained parameter", **piece("layer-rates", factors={"body.*": 0.1}))
    refused("level was 4", **piece("winsorised-gradients", level=4))
    refused("a multiple of 3", **piece("rm3"))
    both = piece("rm3")["interventions"] + piece("winsorised-gradients", level=1)["interventions"]
    refused("both combine gradients", batch_size=12, interventions=both)
    whole = nn.Sequential(nn.Embedding(9, 3), nn.Flatten(), nn.Linear(12, 2))
    refused("data x held int64 with Mixup", x=(X.abs() * 2).long(), make=lambda: whole, **piece("mixup"))
    refused("transform gave inputs of shape", **piece("augmentation", transform=lambda x, _: x[:2]))
