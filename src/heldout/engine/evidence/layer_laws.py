"""What layers compute of seen and of unseen examples, how far these laws lie apart, and what they keep of the inputs."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.activations import has_hidden_layers, representation_labels, representations
from heldout.engine.evidence.operators import OperatorNorm
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.surrogates import has_unseen_inputs
from heldout.engine.numerics.noisy_codes import noisy_code_information
from heldout.engine.numerics.two_samples import nearest_neighbour_divergence, sliced_wasserstein, splits
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable

Floats = NDArray[np.float64]

INPUT, OUTPUT = "input", "output"
MOST = 500  # examples of each side that are compared
DIRECTIONS = 64
SHUFFLES = 20
NEIGHBOURS = 3
NOISE = 2.0  # of codes, in units of a layer's root mean square deviation


@dataclass(frozen=True, slots=True, eq=False)
class LayerDivergences:
    """How far what layers compute of seen examples lies from what they compute of unseen ones, class by class.

    Attributes:
        layers: ``input``, the layers that receive a representation, ``output``.
        wasserstein: Sliced Wasserstein-1 distance, ``[M, L]``.
        wasserstein_by_chance: Mean of it where seen and unseen are shuffled, ``[M, L]``.
        wasserstein_spread: Standard deviation of it where they are, ``[M, L]``.
        divergence: Kullback-Leibler divergence by nearest neighbours, ``[M, L]``.
        divergence_by_chance: The same shuffled.
        divergence_spread: Likewise.
        product: Spectral norms of the layers from there on, multiplied, ``[M, L]``.
        examples: Of each side.
    """

    layers: tuple[str, ...]
    wasserstein: Floats
    wasserstein_by_chance: Floats
    wasserstein_spread: Floats
    divergence: Floats
    divergence_by_chance: Floats
    divergence_spread: Floats
    product: Floats
    examples: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class LayerInformation:
    """What noisy representations keep of their inputs, the class being known.

    Attributes:
        layers: As above.
        lower: Estimate from below in nats, ``[M, L]``.
        upper: Estimate from above, ``[M, L]``.
        standard_error: Of the lower, over examples, ``[M, L]``.
        ceiling: What the lower cannot pass, ``[M]``.
    """

    layers: tuple[str, ...]
    lower: Floats
    upper: Floats
    standard_error: Floats
    ceiling: Floats


def has_layers(subject: Subject) -> None:
    """Demand a classification on one tensor of real numbers by more than one layer.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is not.
    """
    is_classification(subject)
    has_hidden_layers(subject)
    leaves = tree_leaves(subject.probe)
    if len(leaves) != 1 or not leaves[0].is_floating_point():
        raise NotApplicable(
            "distances of inputs need one tensor of real numbers", do="read the hidden layers' measures"
        )


def has_unseen_layers(subject: Subject) -> None:
    """Demand the same, and unseen examples.

    Args:
        subject: What is under study.
    """
    has_layers(subject)
    has_unseen_inputs(subject)


@evidence(requires=has_layers)
def layer_values(subject: Subject, representations: dict[str, Tensor], outputs: Tensor, seed: int) -> dict[str, Tensor]:
    """Inputs, pooled representations and outputs of some training examples, ``[M, N', F]`` each."""
    return _values(subject.train, representations, outputs, seed)


@evidence(forward=1, requires=has_unseen_layers)
def unseen_layer_values(subject: Subject, test_outputs: Tensor, seed: int) -> dict[str, Tensor]:
    """The same of some test examples."""
    assert subject.test is not None  # has_unseen_layers was asked first
    swapped = copy.copy(subject)
    object.__setattr__(swapped, "train", subject.test)
    return _values(subject.test, representations(swapped, seed), test_outputs, seed)


@evidence(requires=has_unseen_layers)
def layer_divergences(
    layer_values: dict[str, Tensor], unseen_layer_values: dict[str, Tensor], labels: Tensor, test_labels: Tensor,
    operator_norms: dict[str, OperatorNorm], seed: int,
) -> LayerDivergences:  # fmt: skip
    """Distances and divergences of every layer's values of seen and unseen examples, with what chance gives."""
    seen, fresh = (
        representation_labels(y, v, seed) for y, v in ((labels, layer_values), (test_labels, unseen_layer_values))
    )
    norms = {name: one.norm.cpu().numpy() for name, one in operator_norms.items()}
    columns, products = [], []
    for layer in layer_values:
        x, z = layer_values[layer][:, :MOST], unseen_layer_values[layer][:, :MOST]
        directions = torch.randn(DIRECTIONS, x.shape[2], generator=stream(seed, "directions", layer)).double()
        unit = (directions / directions.norm(dim=1, keepdim=True)).numpy()
        rows = [
            _apart(_float64(a), _float64(b), y.cpu().numpy(), w.cpu().numpy(), unit, seed)
            for a, b, y, w in zip(x, z, seen[:, :MOST], fresh[:, :MOST], strict=True)
        ]
        columns.append(rows)
        products.append(_product(layer, norms, len(x)))
    far, far_by_chance, far_spread, kl, kl_by_chance, kl_spread = np.array(columns).transpose(2, 1, 0)  # [M, L] each
    sides = (min(MOST, seen.shape[1]), min(MOST, fresh.shape[1]))
    return LayerDivergences(
        layers=tuple(layer_values), wasserstein=far, wasserstein_by_chance=far_by_chance, wasserstein_spread=far_spread,
        divergence=kl, divergence_by_chance=kl_by_chance, divergence_spread=kl_spread, product=np.stack(products, 1),
        examples=sides,
    )  # fmt: skip


@evidence(requires=has_layers)
def conditional_layer_information(layer_values: dict[str, Tensor], labels: Tensor, seed: int) -> LayerInformation:
    """What every layer's values, with noise, say of the input given its class, on training examples."""
    classes = representation_labels(labels, layer_values, seed).cpu().numpy()
    columns = []
    for layer, values in layer_values.items():
        xi = torch.randn(values.shape[1:], generator=stream(seed, "code noise", layer)).double().numpy()
        columns.append([_kept(_float64(x), y, xi) for x, y in zip(values, classes, strict=True)])
    lower, upper, error, ceiling = np.array(columns).transpose(2, 1, 0)
    return LayerInformation(tuple(layer_values), lower, upper, error, ceiling[:, 0])


def _values(examples: Examples, hidden: dict[str, Tensor], outputs: Tensor, seed: int) -> dict[str, Tensor]:
    members, count = next(iter(hidden.values())).shape[:2]
    chosen = torch.randperm(len(examples), generator=stream(seed, "representations"))[:count]
    few = examples.take(chosen)
    x = tree_leaves(few.x)[0]
    x = x.flatten(2) if few.x_per_member else x.flatten(1).expand(members, count, -1)
    return {INPUT: x, **hidden, OUTPUT: outputs[:, chosen.to(outputs.device)].flatten(2)}


def _float64(values: Tensor) -> Floats:
    return np.asarray(values.double().cpu().numpy())


def _product(layer: str, norms: dict[str, Floats], members: int) -> Floats:
    names = list(norms)
    start = {INPUT: 0, OUTPUT: len(names)}.get(layer)
    if start is None:
        start = next((i for i, name in enumerate(names) if name.startswith(f"{layer}.")), len(names))
    return np.prod([norms[name] for name in names[start:]], axis=0) if names[start:] else np.ones(members)


def _apart(x: Floats, z: Floats, y: Floats, w: Floats, directions: Floats, seed: int) -> tuple[float, ...]:
    """Distance and divergence of one member's layer with mean and spread by chance; classes weigh as they occur."""
    far, kl, weights = [], [], []
    for one in np.unique(y):
        a, b = x[y == one], z[w == one]
        if min(len(a), len(b)) <= NEIGHBOURS:
            continue
        sides = splits(len(a), len(b), SHUFFLES, np.random.default_rng([seed, 9, int(one)]))
        pool = np.concatenate([a, b])
        far.append(sliced_wasserstein(pool, sides, directions))
        kl.append(nearest_neighbour_divergence(pool, sides, neighbours=NEIGHBOURS))
        weights.append(float(len(a)))
    if not weights:
        return (float("nan"),) * 6
    mean = [np.average(each, axis=0, weights=weights) for each in (far, kl)]
    return tuple(float(v) for each in mean for v in (each[0], each[1:].mean(), each[1:].std(ddof=1)))


def _kept(x: Floats, classes: NDArray[np.int64], xi: Floats) -> tuple[float, float, float, float]:
    """Lower, upper, standard error and ceiling of one member's layer."""
    noise = NOISE * float(np.sqrt(x.var(0).mean()))
    if not noise > 0:
        return 0.0, 0.0, 0.0, float(np.log(len(x)))  # what never varies keeps nothing
    lower, upper, ceiling = np.zeros(len(x)), np.zeros(len(x)), 0.0
    for one in np.unique(classes):
        own = classes == one
        if own.sum() > 1:
            lower[own], upper[own] = noisy_code_information(x[own], noise, xi[own])
            ceiling += float(own.mean() * np.log(min(400, own.sum())))
    return float(lower.mean()), float(upper.mean()), float(lower.std(ddof=1) / np.sqrt(len(x))), ceiling
