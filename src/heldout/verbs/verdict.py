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
    measured = _measured(readings, "accuracy-gap" if classification else "loss-gap")
    answer: dict[str, Any] = {
        "headline": "",
        "sentences": [],
        "gap": None,
        "low": None,
        "high": None,
        "confidence": 0.95,
    }
    sentences: list[str] = answer["sentences"]
    if measured is None:
        answer["headline"] = "The gap cannot be measured: there is no test data."
        sentences.append(_fit(readings, classification))
        sentences.append(
            "The readings below come from the training data alone: they go along with generalization, and none promises it."
        )
    else:
        gap, low, high = measured
        answer.update(gap=gap, low=low, high=high)
        answer["headline"] = _headline(readings, gap, low, high, classification, len(subject.population))
        sentences.append(_fit(readings, classification))
    sentences += _certified(certificates, delta, answer)
    if len(subject.population) > 1:
        sentences.append(
            f"Figures are means over {len(subject.population)} networks; each network's own are in the table."
        )
    missing = [reading.name for reading in readings.values() if not reading.ok]
    if missing:
        sentences.append(
            f"{len(readings) - len(missing)} of {len(readings)} readings have a number; the others say why not."
        )
    answer["sentences"] = [sentence for sentence in sentences if sentence]
    return answer


def _measured(readings: Mapping[str, Reading], name: str) -> tuple[float, float, float] | None:
    reading = readings.get(name)
    if reading is None or not reading.ok:
        return None
    return float(reading.value.mean()), float(reading.low.mean()), float(reading.high.mean())


def _headline(
    readings: Mapping[str, Reading], gap: float, low: float, high: float, classification: bool, members: int
) -> str:
    subject = "This network" if members == 1 else "On average these networks"
    if not classification:
        verb = "has a" if members == 1 else "have a"
        return (
            f"{subject} {verb} loss on unseen data {gap:.4g} above the training loss (95 %: {low:.4g} to {high:.4g})."
        )
    accuracy = readings["test-accuracy"]
    right = float(accuracy.value.mean())
    sure = f"{float(accuracy.low.mean()):.1%} to {float(accuracy.high.mean()):.1%}"
    verb = "gets" if members == 1 else "get"
    return (
        f"{subject} {verb} {right:.1%} of unseen examples right (95 %: {sure}); "
        f"the gap to the training data is {100 * gap:.1f} points ({100 * low:.1f} to {100 * high:.1f})."
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
    worst = max(named, key=lambda certificate: certificate.value or 0.0)
    answer["certified_risk"] = worst.value
    answer["certificate"] = worst.name
    amount = f"{worst.value:.2%}" if worst.loss == "0-1 error" else f"{worst.value:.4g} ({worst.loss})"
    which = "its" if len(named) == 1 else "each one's"
    return [
        f"Certified: with probability {1 - delta:.0%} over the draw of the {worst.examples} held-out examples, "
        f"{which} error on unseen data is at most {amount} ({worst.name})."
    ]
