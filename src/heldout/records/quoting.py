"""A certificate in one sentence, for a paper or a release note; false quotations are refused."""

from typing import TYPE_CHECKING

from heldout.records.refusal import Refusal, refuse
from heldout.records.status import Status

if TYPE_CHECKING:
    from heldout.records.certificate import Certificate

ROUTES = {
    "this network": "the families held-out and transfer certify the network itself",
}


def quoted(certificate: "Certificate", *, of: str = "", loss: str = "", probability: float | None = None) -> str:
    """The sentence that a certificate allows.

    What is said of one object holds for no other (a Gibbs predictor's risk is not that of the mean network, a compressed network's
    not that of the deployed one), what is said of one loss for no other, and an expectation has no probability: such quotations are
    refused, and a certificate that says nothing.

    Args:
        certificate: Which.
        of: The object that it is to be quoted for; empty for its own.
        loss: The loss that it is to be quoted for; empty for its own.
        probability: With which it is to be quoted; None for its own.

    Returns:
        One sentence.
    """
    refuse(
        _nothing(certificate)
        + _another("object", certificate.certifies, of)
        + _another("loss", certificate.loss, loss)
        + _unlikely(certificate, probability)
    )
    what = f"the {certificate.loss} of {certificate.certifies}"
    number = f"{_up(certificate.value or 0.0):g}"
    behind = f"[{certificate.source}; {certificate.examples} examples]"
    if certificate.status is Status.VALID:
        sure = f"With probability at least {100 * (1 - certificate.delta):.6g} % ({certificate.statement})"
        return f"{sure}, {what} is at most {number} {behind}."
    return f"As {certificate.status.code}, with no probability ({certificate.statement}), {what} is about {number} {behind}."


def _up(value: float) -> float:
    """Four decimals, rounded up, so that the printed number stays a bound."""
    from decimal import ROUND_CEILING, Decimal

    return float(Decimal(value).quantize(Decimal("0.0001"), rounding=ROUND_CEILING))


def _nothing(certificate: "Certificate") -> list[Refusal]:
    if certificate.value is not None and certificate.status is not Status.VACUOUS:
        return []
    return [
        Refusal(
            given=f"{certificate.name} is {certificate.status.code}: {certificate.reason.rstrip('.')}",
            expected="a certificate that says something",
            do="quote another; certificates.best() is the tightest valid one",
        )
    ]


def _another(role: str, own: str, wanted: str) -> list[Refusal]:
    if not wanted or wanted == own:
        return []
    return [
        Refusal(
            given=f"a certificate for the {role} '{own}' was quoted for '{wanted}'",
            expected=f"its own {role}",
            do=ROUTES.get(wanted, f"ask for certificates of that {role}, such as certificates.best(certifies=...)"),
        )
    ]


def _unlikely(certificate: "Certificate", probability: float | None) -> list[Refusal]:
    if probability is None:
        return []
    own = 1 - certificate.delta if certificate.status is Status.VALID else 0.0
    if probability <= own + 1e-12:
        return []
    given = f"{certificate.name} was quoted with probability {probability:g}"
    if own == 0:
        return [
            Refusal(
                given=f"{given}, but is {certificate.status.code} ({certificate.statement})",
                expected="no probability",
                do="leave probability= out, or quote a valid certificate",
            )
        ]
    return [Refusal(given=given, expected=f"at most {own:g}", do=f"certify again with delta={1 - probability:.6g}")]
