"""The result of certifying: every certificate with its ledgers, and the best of them at a price."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heldout._version import __version__
from heldout.records import Certificate, Refusal, Status

if TYPE_CHECKING:
    import pandas

SCHEMA = 1
COLUMNS = (
    "member", "family", "name", "value", "status", "certifies", "statement", "empirical_risk", "examples", "delta", "reason",
    "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Certificates:
    """Every certificate that was asked for.

    Attributes:
        subject: The subject in plain values.
        certificates: Each holds on its own at delta.
        together: The same, of which all that are valid hold at once with probability 1 - delta: choosing among these is paid for.
        absent: Name of a bound -> why this subject cannot have it.
        seed: From which every random stream derived.
        delta: Failure probability.
        seconds: Wall-clock time.
    """

    subject: Mapping[str, Any]
    certificates: list[Certificate]
    together: list[Certificate]
    absent: Mapping[str, str]
    seed: int
    delta: float
    seconds: float

    def __iter__(self) -> Iterator[Certificate]:
        """The certificates, each at delta on its own."""
        return iter(self.certificates)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.certificates)

    def __getitem__(self, name: str) -> list[Certificate]:
        """The certificates of one bound.

        Args:
            name: Such as ``"clopper-pearson"``.

        Returns:
            One a member.

        Raises:
            Refusal: If there is none, with the reason.
        """
        found = [certificate for certificate in self.certificates if certificate.name == name]
        if not found:
            names = ", ".join(dict.fromkeys(certificate.name for certificate in self.certificates))
            raise Refusal(
                given=f"'{name}' is not among the certificates"
                + (f" ({self.absent[name]})" if name in self.absent else ""),
                expected=f"one of {names or 'none, as no bound applies'}",
                do="see 'heldout list --kind bound'",
            )
        return found

    def best(self, *, member: int | None = None, certifies: str = "", loss: str = "") -> Certificate:
        """The tightest valid certificate after paying for having looked at all of them.

        Its value is that of its bound at delta over the number of certificates, by a union bound: its ledger says so. Numbers of
        different losses are never compared: bits a token of new documents are no error, and no bits of other continuations.

        Args:
            member: One network's; of all networks the best otherwise, which the price covers too.
            certifies: Only certificates of this object, such as ``"this network"``; empty for any.
            loss: Only certificates of this loss; empty for any, if there is but one.

        Returns:
            The certificate; the tightest vacuous one where none says anything.

        Raises:
            Refusal: If there is no valid one at all, or they speak of several losses.
        """
        found = self.bests(member=member, certifies=certifies, loss=loss)
        if len(found) > 1:
            raise Refusal(
                given=f"the certificates speak of {len(found)} losses that cannot be compared, "
                + ", ".join(f"'{one.loss}' in [{one.loss_range[0]:.4g}, {one.loss_range[1]:.4g}]" for one in found),
                expected="one loss",
                do="pass loss= or certifies=, or take certificates.bests(), the best of each",
            )
        return found[0]

    def bests(self, *, member: int | None = None, certifies: str = "", loss: str = "") -> list[Certificate]:
        """The tightest certificate of every loss and range, all at once with probability 1 - delta.

        Args:
            member: As in :meth:`best`.
            certifies: As in :meth:`best`.
            loss: As in :meth:`best`.

        Returns:
            One a loss, in the order of the families.

        Raises:
            Refusal: If there is none.
        """
        fit = [
            one
            for one in self.together
            if one.status in (Status.VALID, Status.VACUOUS)
            and (member is None or one.member == member)
            and (not certifies or one.certifies == certifies)
            and (not loss or one.loss == loss)
        ]
        if not fit:
            raise Refusal(
                given=f"none of {len(self.certificates)} certificates is valid"
                + "".join(f" for '{wanted}'" for wanted in (certifies, loss) if wanted),
                expected="at least one",
                do="read their reasons; held-out data that nobody has looked at give one",
            )
        kinds = dict.fromkeys((one.loss, one.loss_range) for one in fit)
        return [
            min(
                (one for one in fit if (one.loss, one.loss_range) == kind),
                key=lambda one: (one.value is None, one.value),
            )
            for kind in kinds
        ]

    def to_pandas(self) -> "pandas.DataFrame":
        """One row a certificate and member."""
        import pandas

        rows = [certificate.row() for certificate in self.certificates]
        return pandas.DataFrame([{column: row[column] for column in COLUMNS} for row in rows], columns=list(COLUMNS))

    def to_dict(self) -> dict[str, Any]:
        """The record that ``--json`` writes."""
        try:
            bests = [one.row() for one in self.bests()]
        except Refusal:
            bests = []
        return {
            "heldout": __version__, "schema": SCHEMA, "seed": self.seed, "delta": self.delta, "subject": dict(self.subject),
            "best": bests[0] if len(bests) == 1 else None, "bests": bests, "certificates": [one.row() for one in self.certificates],
            "together": [one.row() for one in self.together], "absent": dict(self.absent), "seconds": self.seconds,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Certificates":
        """Rebuild the result from its record.

        Args:
            record: What :meth:`to_dict` gave.

        Returns:
            The result.

        Raises:
            Refusal: If a newer heldout wrote it.
        """
        if record.get("schema", 0) > SCHEMA:
            raise Refusal(
                given=f"the record has schema {record['schema']}", expected=f"at most {SCHEMA}", do="upgrade heldout to read it"
            )  # fmt: skip
        lists = {key: [Certificate.from_row(row) for row in record[key]] for key in ("certificates", "together")}
        plain: dict[str, Any] = {key: record[key] for key in ("subject", "absent", "seed", "delta", "seconds")}
        return cls(certificates=lists["certificates"], together=lists["together"], **plain)

    def report(self, path: str) -> str:
        """Write the page, one self-contained HTML file.

        Args:
            path: Where; the file is written whole and then renamed.

        Returns:
            The path.
        """
        from heldout.faces.report import write_certificates_report

        return write_certificates_report(self.to_dict(), path)

    def _repr_html_(self) -> str:
        """The certificates for notebooks."""
        from heldout.faces.report.certificates import certificates_fragment

        return certificates_fragment(self.to_dict())
