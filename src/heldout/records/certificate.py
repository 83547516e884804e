"""A reading that a theorem stands behind, with its ledgers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from heldout.records.quoting import quoted
from heldout.records.status import Status


@dataclass(frozen=True, slots=True)
class Spent:
    """One line of a delta ledger: a step that spends failure probability."""

    step: str
    delta: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """A reading that a theorem stands behind, and the account of what it spent.

    Attributes:
        name: Kebab-case, the bound's name.
        member: Which network of the population.
        value: Upper bound on the risk in units of the loss; None when refused.
        delta: Total failure probability; the ledger adds up to it.
        loss: The loss it speaks of.
        loss_range: Smallest and largest value of that loss.
        trivial: The loss from which on a bound says nothing: of guessing evenly where that is known, the largest value otherwise.
        certifies: The object: this network, a Gibbs predictor, one draw, ...
        statement: What the probability is over.
        ledger: Steps that spend failure probability.
        data_ledger: Role -> which examples.
        status: valid, vacuous, estimate, correlate or refused.
        reason: Why, in a sentence; empty when valid.
        baseline: Clopper-Pearson on the same points, and whether this certificate adds information to it.
        empirical_risk: Mean loss on the points it used.
        examples: How many points it used.
        source: Paper and equation.
        code_ledger: Part of the message -> bits; empty unless a code is involved.
        family: Such as held-out, compression.
        terms: Name -> number that the value is made from, such as a divergence in nats.
    """

    name: str
    member: int
    value: float | None
    delta: float
    loss: str
    loss_range: tuple[float, float]
    certifies: str
    statement: str
    ledger: tuple[Spent, ...]
    data_ledger: Mapping[str, str]
    status: Status
    reason: str
    baseline: Mapping[str, Any]
    empirical_risk: float | None
    examples: int
    source: str
    code_ledger: Mapping[str, float] = field(default_factory=dict)
    family: str = "held-out"
    terms: Mapping[str, float] = field(default_factory=dict)
    trivial: float | None = None

    def row(self) -> dict[str, Any]:
        """The certificate as plain values, for JSON."""
        return {
            "member": self.member,
            "name": self.name,
            "value": self.value,
            "delta": self.delta,
            "loss": self.loss,
            "loss_range": list(self.loss_range),
            "certifies": self.certifies,
            "statement": self.statement,
            "ledger": [{"step": spent.step, "delta": spent.delta} for spent in self.ledger],
            "data_ledger": dict(self.data_ledger),
            "code_ledger": dict(self.code_ledger),
            "status": self.status.code,
            "reason": self.reason,
            "baseline": dict(self.baseline),
            "empirical_risk": self.empirical_risk,
            "examples": self.examples,
            "source": self.source,
            "family": self.family,
            "terms": dict(self.terms),
            "trivial": self.trivial,
        }

    def quote(self, *, of: str = "", loss: str = "", probability: float | None = None) -> str:
        """The certificate in one sentence, refused where it would say what it does not certify.

        Args:
            of: The object that it is to be quoted for; empty for its own.
            loss: The loss that it is to be quoted for; empty for its own.
            probability: With which it is to be quoted; None for its own.

        Returns:
            One sentence, its number rounded up.
        """
        return quoted(self, of=of, loss=loss, probability=probability)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Certificate":
        """Rebuild a certificate from its row.

        Args:
            row: What :meth:`row` gave.

        Returns:
            The certificate.
        """
        return cls(
            **{key: row[key] for key in ("member", "name", "value", "delta", "loss", "certifies", "statement")},
            **{key: row[key] for key in ("data_ledger", "code_ledger", "reason", "baseline", "empirical_risk")},
            **{key: row[key] for key in ("examples", "source")},
            **{key: row[key] for key in ("family", "terms", "trivial") if key in row},  # older records have none
            loss_range=(row["loss_range"][0], row["loss_range"][1]),
            ledger=tuple(Spent(line["step"], line["delta"]) for line in row["ledger"]),
            status=Status.of(row["status"]),
        )

    def _repr_html_(self) -> str:
        """The certificate with its ledger for notebooks."""
        from html import escape

        ledger = "".join(f"<li>{escape(spent.step)}: {spent.delta:g}</li>" for spent in self.ledger)
        value = "refused" if self.value is None else f"{self.loss} &le; {self.value:.4g}"
        return (
            f"<b>{escape(self.name)}</b>, network {self.member}: {value} ({escape(self.status.code)})<br>"
            f"{escape(self.statement)}, delta = {self.delta:g}; certifies {escape(self.certifies)}. "
            f"{escape(self.reason)}<ul>{ledger}</ul>"
        )
