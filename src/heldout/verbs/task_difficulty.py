"""``task_difficulty``: how much inductive bias it takes to reach a test error, in three hypothesis spaces."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from heldout.catalog import find
from heldout.engine.evidence.kernel_posteriors import answers, targets
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics.chi_square_tails import FEWEST, fitted_tail
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Reading, Refusal, Status
from heldout.verbs.audit import require_subject, whole_seed

MOST_ERROR = (
    0.5  # standard error against the nats, beyond which there is no number; of less than one nat it may be half a nat
)
MOST_DIGITS = 300.0  # of a number that a float holds


@dataclass(frozen=True, slots=True)
class TaskDifficulty:
    """Inductive bias that a test error asks for.

    Attributes:
        target: The mean squared test error that is asked for.
        test_errors: Of the networks that fit.
        networks: How many there were, those that do not fit included.
        network_nats: Minus the logarithm of the share of networks that fit which are as good; None where it is not known well enough.
        standard_error: Of it, by the jackknife over networks, the law of the errors being taken for granted.
        seen: Nats that the sample itself reaches to, ``ln D``; what is beyond is extrapolated.
        kernel_nats: The same of functions of a Gaussian process that fit, exactly; None where there is no such number.
        band_limited: ``band-limited-difficulty`` of the data, which does not know the target.
        reasons: Why what is None is not known.
    """

    target: float
    test_errors: tuple[float, ...]
    networks: int
    network_nats: float | None
    standard_error: float
    seen: float
    kernel_nats: float | None
    band_limited: Reading
    reasons: tuple[str, ...]

    @property
    def extrapolated(self) -> float:
        """Nats beyond what the sample reaches to."""
        return max(0.0, (self.network_nats or 0.0) - self.seen)

    def to_dict(self) -> dict[str, Any]:
        """The record in plain values, for JSON; a row a space of hypotheses."""
        limited = self.band_limited.rows()[0]
        power = limited["value"]
        bits = None if power is None or power > MOST_DIGITS else 10.0**power
        return {
            "schema": 1,
            "kind": "difficulty",
            "target": self.target,
            "networks": self.networks,
            "test_errors": list(self.test_errors),
            "seen": self.seen,
            "extrapolated": self.extrapolated,
            "rows": [
                self._row("networks", self.network_nats, self.standard_error),
                self._row("kernel", self.kernel_nats, None),
                {
                    "space": "band-limited",
                    "nats": None if bits is None else bits * math.log(2),
                    "bits": bits,
                    "standard_error": None,
                    "status": limited["status"],
                    "reason": limited["reason"]
                    or f"about 10^{power:.1f} bits, of the task alone and whatever the target",
                },
            ],
        }

    def _row(self, space: str, nats: float | None, error: float | None) -> dict[str, Any]:
        reason = next((words for words in self.reasons if words.startswith(f"{space}: ")), f"{space}: ")
        return {
            "space": space,
            "nats": nats,
            "bits": None if nats is None else nats / math.log(2),
            "standard_error": error if nats is not None and error is not None and math.isfinite(error) else None,
            "status": (Status.NOT_CONVERGED if nats is None else Status.OK).code,
            "reason": reason.removeprefix(f"{space}: "),
        }


def task_difficulty(subject: Subject, *, target: float, fits: float | None = None, seed: int = 0) -> TaskDifficulty:
    r"""How much inductive bias it takes to reach a test error, among networks and among functions of a kernel that fit.

    .. math:: I = -\ln P\big(\mathrm{MSE}_{\mathrm{test}} \le \varepsilon \,\big|\, \text{fits the training set}\big)

    Boopathy et al. 2024, arXiv 2406.15941. The networks of the subject are the sample of hypotheses: train a population from
    random initial weights (``heldout.train``). Their test errors are taken for a scaled chi-square variable, and its
    tail is extrapolated; of the kernel the tail is exact. The difference of the two is what the architecture and its
    training bring. For classes the error is that of the probabilities (Brier's, over C).

    Args:
        subject: Networks trained from different random initial weights on the same data, with test data.
        target: epsilon, a mean squared error.
        fits: Largest training error of a network that fits: share of examples that are wrong, or, of a regression, the mean loss.
            0 for a classification unless given.
        seed: Of the choice of examples for the kernel.

    Returns:
        The nats, and what tells whether to believe them.

    Raises:
        Refusal: If there are no test data, the target is not positive, or fewer than four networks fit.
    """
    require_subject(subject)
    source = Evidence(subject, seed=whole_seed(seed))
    if subject.test is None:
        raise Refusal(
            given="the subject has no test data",
            expected="data that the networks have not seen",
            do="pass Subject(..., test=(x, y))",
        )
    if not target > 0:
        raise Refusal(given=f"target was {target!r}", expected="a positive mean squared error", do="pass target=0.05")
    kept = _fitting(subject, source, fits)
    own = answers(subject, source["test_outputs"]) - targets(subject, source["test_labels"])
    errors = own.square().mean((1, 2))[kept].cpu().numpy()
    tail = fitted_tail(errors, target)
    reasons = []
    known = tail.standard_error <= MOST_ERROR * max(tail.nats, 1.0)
    if not known:
        reasons.append(
            f"networks: the standard error, {tail.standard_error:.2g}, is more than half of {tail.nats:.2g} nats; "
            "train more networks from other initial weights"
        )
    kernel = None
    try:
        form = source["test_kernel_posterior"]
        found = find("kernel-inductive-bias").function(form, target=target)
        kernel = float(found.value[0]) if bool(found.converged[0]) and bool(found.value[0].isfinite()) else None
        if kernel is None:
            reasons.append("kernel: no function that fits is so accurate, or the integral has not settled")
    except NotApplicable as absent:
        reasons.append(f"kernel: {absent}")
    return TaskDifficulty(
        float(target),
        tuple(errors.tolist()),
        len(subject.population),
        tail.nats if known else None,
        tail.standard_error,
        tail.seen,
        kernel,
        read_measure(find("band-limited-difficulty"), source),
        tuple(reasons),
    )


def _fitting(subject: Subject, source: Evidence, fits: float | None) -> torch.Tensor:
    """Which networks fit."""
    classes = subject.loss.task == "classification"
    if fits is None and not classes:
        raise Refusal(
            given="fits was left out for a regression",
            expected="the largest mean training loss of a network that fits",
            do="pass fits=0.01",
        )
    losses = (source["errors"] if classes else source["losses"]).mean(1)
    kept = losses <= (fits or 0.0)
    if int(kept.sum()) < FEWEST:
        raise Refusal(
            given=f"{int(kept.sum())} of {len(kept)} networks fit the training data; the best has a training error of "
            f"{float(np.nanmin(losses.cpu())):.3g}",
            expected=f"at least {FEWEST} that do",
            do="train more of them, for longer, or pass a larger fits=",
        )
    return kept
