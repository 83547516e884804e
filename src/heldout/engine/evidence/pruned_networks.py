"""Pruned and quantised networks with noise around them: chosen among some, evaluated by drawing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.compression.messages import Message
from heldout.engine.compression.pruning import Kept, Layer, blurred_nats, header, largest, quantised
from heldout.engine.evidence.drawing import errors_of_draws, is_binary
from heldout.engine.evidence.retraining import can_train_again, fitting
from heldout.engine.population import Population
from heldout.engine.posteriors import Gaussian, network_errors
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable

Floats = NDArray[np.float64]
#: What is tried; the bound holds for all of it at once, since every message says which it was.
SHARES = (0.1, 0.05, 0.03, 0.02, 0.01)  # of the weights that are kept, each around what the one before left
LEVELS = 4  # of each tensor's codebook
NOISES = (0.0, 0.1, 0.2, 0.4)  # deviation, of the root mean square of a tensor's levels
TUNING_STEPS, TUNING_RATE = 400, 3e-3
#: Deviation of weights that are pruned, and of all without noise: the same in prior and posterior, so that it costs nothing.
TINY = 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """A noisy network around a pruned and quantised one, for every member.

    Attributes:
        bits: Length of the message that names the prior, ``[M]``.
        nats: Divergence from it, at most, ``[M]``.
        risk: Mean loss over all draws, ``[M]``.
        draws: How many independent losses in [0, 1] that is a mean of.
        examples: n.
        parts: Part of the message -> bits, one for each member; empty for problems that are simulated.
        data: Role -> which examples, in words.
        terms: Name -> ``[M]``, for the account.
    """

    bits: Floats
    nats: Floats
    risk: Floats
    draws: int
    examples: int
    parts: tuple[Mapping[str, float], ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """One member's noisy network with what it costs."""

    weights: Mapping[str, Tensor]
    log_scales: Mapping[str, Tensor]
    message: Message
    nats: float
    kept: int


def can_be_pruned(subject: Subject) -> None:
    """Demand a classification whose buffers no example has moved, as no message pays for them.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If a buffer, such as a batch norm's running mean, is another than in the untrained network, or as for
            training again.
    """
    can_train_again(subject)
    assert subject.initial is not None
    for name, before in subject.initial.buffers.items():
        if not torch.equal(before, subject.population.buffers[name].to(before)):
            raise NotApplicable(
                f"buffer '{name}' was moved by the training data, as running statistics are, and the message does not pay for it",
                do="use a network without batch norm, such as one with layer or group norm",
            )


@evidence(forward=500, backward=30, requires=can_be_pruned)
def pruned(subject: Subject, train_repeats: int, recipe: Recipe, seed: int) -> Pruned:
    """Networks pruned by magnitude, tuned, quantised and blurred, for some shares and noises the most promising of each member.

    Args:
        subject: With its untrained networks, whose buffers are kept.
        train_repeats: Training examples with the input of another; asked for so that undeclared ones are refused.
        recipe: Of which loss and batch size of the tuning are taken.
        seed: Of batches and draws.

    Returns:
        Its message, divergence, and draws on all training examples.
    """
    members, n = len(subject.population), len(subject.train)
    best, scores = [_Candidate({}, {}, Message((), {}), np.inf, 0)] * members, np.full(members, np.inf)
    networks = subject.population
    for share in SHARES:
        networks, masks = _tuned(subject, networks, recipe, share, seed)
        layers, whole = _quantised(subject, networks, masks)
        for number in range(len(NOISES)):
            found = [_candidate(layers[m], whole, m, number) for m in range(members)]
            wrong, _ = errors_of_draws(subject, _gaussian(subject, found), subject.train, seed, "choice of the noise")
            risks = wrong.double().mean((1, 2)).cpu().numpy()
            for m, one in enumerate(found):  # a score that tells two empty bounds apart
                score = risks[m] + np.sqrt((one.nats + len(one.message) * np.log(2)) / (2 * n))
                if score < scores[m]:
                    best[m], scores[m] = one, score
    final = _gaussian(subject, best)
    wrong, draws = errors_of_draws(subject, final, subject.train, seed, "draws of the pruned network")
    alone = network_errors(final.centre, subject.train, binary=is_binary(subject)).double().mean(1)
    return Pruned(
        bits=np.array([float(len(one.message)) for one in best]),
        nats=np.array([one.nats for one in best]),
        risk=wrong.flatten(1).sum(1).double().cpu().numpy() / (wrong.shape[1] * wrong.shape[2]),
        draws=draws,
        examples=n,
        parts=tuple(one.message.parts for one in best),
        data={
            "prior": "zero weights, and codes agreed on beforehand: no example took part",
            "posterior": f"all {n} training examples",
            "bound": f"all {n} training examples, assumed to be independent draws",
            "repeats": f"{train_repeats} training examples have the input of another",
            "draws": f"made once, from seed {seed}",
        },
        terms={
            "weights kept": np.array([float(one.kept) for one in best]),
            "risk without noise": alone.cpu().numpy(),
        },
    )


def _tuned(
    subject: Subject, networks: Population, recipe: Recipe, share: float, seed: int
) -> tuple[Population, dict[str, Tensor]]:
    """Networks pruned further and trained with the weights that are left, and which those are."""
    masks = largest(networks, share)
    start = networks.with_tensors({n: w.detach() * masks[n] for n, w in networks.parameters.items()}, networks.buffers)
    plain = fitting(recipe, len(subject.train)).but(
        optimizer="adam", lr=TUNING_RATE, steps=TUNING_STEPS, schedule="cosine", stop="steps", weight_decay=0.0,
        interventions=(Kept(masks),), warmup=0, label_noise=0.0, subset=None, dropout=None,
    )  # fmt: skip
    with torch.enable_grad():
        return fit(start, subject.train, plain, seed=seed).final, masks


def _quantised(
    subject: Subject, networks: Population, masks: dict[str, Tensor]
) -> tuple[list[list[Layer]], Population]:
    """What the messages say of every member's tensors, and the networks that are quantised so."""
    layers: list[list[Layer]] = [[] for _ in range(len(networks))]
    stacks = {}
    for name, weights in networks.parameters.items():
        rows = [quantised(weights[m], masks[name][m], LEVELS) for m in range(len(networks))]
        stacks[name] = torch.stack([row for _, row in rows]).to(weights)
        for own, (layer, _) in zip(layers, rows, strict=True):
            own.append(layer)
    assert subject.initial is not None  # can_be_pruned was asked first
    return layers, networks.with_tensors(stacks, subject.initial.buffers)


def _candidate(layers: list[Layer], networks: Population, member: int, number: int) -> _Candidate:
    """One member with one scale of noise; the scales follow from the message alone."""
    nats, logs = 0.0, {}
    for layer, (name, weights) in zip(layers, networks.parameters.items(), strict=True):
        size = float(np.sqrt(np.mean(layer.levels.astype(np.float64) ** 2))) if len(layer.levels) else 0.0
        scale = max(NOISES[number] * size, TINY)
        nats += blurred_nats(layer, scale)
        kept = torch.from_numpy(layer.kept).reshape(weights.shape[1:])
        logs[name] = torch.where(kept, np.log(scale), np.log(TINY)).double().to(weights.device)
    own = {name: weights[member] for name, weights in networks.parameters.items()}
    return _Candidate(own, logs, header(layers, number), nats, int(sum(layer.kept.sum() for layer in layers)))


def _gaussian(subject: Subject, found: list[_Candidate]) -> Gaussian:
    networks = subject.population
    assert subject.initial is not None
    weights = {name: torch.stack([one.weights[name] for one in found]) for name in networks.parameters}
    return Gaussian(
        networks.with_tensors(weights, subject.initial.buffers),
        {name: torch.stack([one.log_scales[name] for one in found]) for name in networks.parameters},
    )
