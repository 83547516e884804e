"""The verdict in plain words, from the readings alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from heldout.engine.subject import Subject
from heldout.records import Certificate, Reading, Status


def verdict(
    subject: Subject, readings: Mapping[str, Reading], certificates: Sequence[Certificate], delta: float
) -> dict[str, Any]:
    """What the audit found, for people who read nothing else.

    Args:
        subject: What was audited.
        readings: By name.
        certificates: Of every bound and member.
        delta: Failure probability of each certificate.

    Returns:
        ``headline``, ``sentences``, and, where they are known, ``accuracy_gap``, ``low``, ``high``, ``certified_risk``.
    """
    classification = subject.loss.task == "classification"
    answer: dict[str, Any] = {
        "headline": "",
        "sentences": [],
        "gap": None,
        "low": None,
        "high": None,
        "confidence": 0.95,
    }
    gap = readings.get("accuracy-gap" if classification else "loss-gap")
    sentences = [_fit(readings, classification)]
    if subject.test is None:
        answer["headline"] = "The gap cannot be measured: there is no test data."
        sentences.append(
            "The readings below come from the training data alone: they go along with generalization, and none promises it."
        )
    elif gap is None:
        answer["headline"] = "The gap was not asked for."
    elif not gap.ok:
        answer["headline"] = f"The gap cannot be measured: {next(filter(None, gap.reasons), 'it has no value')}."
    else:
        answer.update(gap=float(gap.value.mean()), low=float(gap.low.min()), high=float(gap.high.max()))
        answer["headline"] = _headline(subject, readings, gap, classification)
    sentences += _certified(certificates, delta, answer)
    if len(subject.population) > 1:
        sentences.append(f"These are {len(subject.population)} networks; each one's own numbers are in the table.")
    missing = [reading.name for reading in readings.values() if not reading.ok]
    if missing:
        sentences.append(
            f"{len(readings) - len(missing)} of {len(readings)} readings have a number; the others say why not."
        )
    answer["sentences"] = [sentence for sentence in sentences if sentence]
    return answer


def _headline(subject: Subject, readings: Mapping[str, Reading], gap: Reading, classification: bool) -> str:
    members = len(subject.population)
    low, high = float(gap.low.min()), float(gap.high.max())
    if not classification:
        who = "This network's" if members == 1 else f"These {members} networks' mean"
        return (
            f"{who} loss on unseen data is {float(gap.value.mean()):.4g} above the training loss "
            f"(95 %: {low:.4g} to {high:.4g})."
        )
    points = f"{100 * float(gap.value.mean()):.1f} points"
    accuracy = readings.get("test-accuracy")
    if accuracy is None:  # only some of the readings were asked for
        return f"Accuracy on unseen data is {points} below that on the training data (95 %: {100 * low:.1f} to {100 * high:.1f})."
    if len(set(subject.groups)) > 1:
        parts = []
        for name in dict.fromkeys(subject.groups):
            own = np.array([group == name for group in subject.groups])
            parts.append(f"{accuracy.value[own].mean():.1%} ({name})")
        return f"On unseen examples these networks are right in {' and '.join(parts)}."
    right, sure = float(accuracy.value.mean()), f"{accuracy.low.min():.1%} to {accuracy.high.max():.1%}"
    who = "This network gets" if members == 1 else f"These {members} networks get on average"
    return (
        f"{who} {right:.1%} of unseen examples right (95 %: {sure}); the gap to the training data is "
        f"{points} ({100 * low:.1f} to {100 * high:.1f})."
    )


def _fit(readings: Mapping[str, Reading], classification: bool) -> str:
    name = "train-accuracy" if classification else "train-loss"
    if name not in readings or not readings[name].ok:
        return ""
    value = float(np.mean(readings[name].value))
    return (
        f"On the training data the accuracy is {value:.1%}." if classification else f"The training loss is {value:.4g}."
    )


def _certified(certificates: Sequence[Certificate], delta: float, answer: dict[str, Any]) -> list[str]:
    """One bound is named before the data are seen, so choosing it costs nothing: Clopper-Pearson, or kl for real losses."""
    refused = [certificate for certificate in certificates if certificate.status is Status.REFUSED]
    if certificates and len(refused) == len(certificates):
        return [f"Nothing is certified: {refused[0].reason}"]
    named = [c for c in certificates if c.name == "clopper-pearson" and c.value is not None] or [
        c for c in certificates if c.name == "kl" and c.value is not None
    ]
    if not named:
        return []
    values = sorted(certificate.value or 0.0 for certificate in named)
    first = named[0]
    answer["certified_risk"], answer["certificate"] = values[-1], first.name
    zero_one = first.loss == "0-1 error"
    words = [f"{value:.2%}" if zero_one else f"{value:.4g}" for value in dict.fromkeys((values[0], values[-1]))]
    what = "its error" if zero_one else f"its {first.loss}"
    each = "" if len(named) == 1 else "for each network on its own, "
    return [
        f"Certified: {each}with probability {1 - delta:.0%} over the draw of the {first.examples} held-out examples, "
        f"{what} on unseen data is at most {' to '.join(words)} ({first.name})."
    ]
