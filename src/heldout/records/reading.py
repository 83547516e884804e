"""One quantity of every network of a population, and tables that are readings too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.records.passes import Passes
from heldout.records.status import Direction, Status


def _absent(array: np.ndarray) -> np.ndarray:
    """The array itself when every entry is there, otherwise masked: ``tolist`` then gives None, never NaN."""
    return array if np.isfinite(array).all() else np.ma.masked_invalid(array)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One quantity of every network of a population.

    Attributes:
        name: Kebab-case, as the literature says it.
        family: The file it was declared in.
        unit: ``""`` for a pure number.
        direction: What a larger value says about error on unseen data.
        statuses: One status a member.
        reasons: One sentence a member, empty where the status is ok.
        passes: Cost of this reading had it been asked for alone.
        seconds: Likewise; evidence that several readings share is counted in each of them.
    """

    name: str
    family: str
    unit: str
    direction: Direction
    statuses: tuple[Status, ...]
    reasons: tuple[str, ...]
    passes: Passes
    seconds: float
    _value: Float[np.ndarray, " M"]
    _standard_error: Float[np.ndarray, " M"]
    _low: Float[np.ndarray, " M"]
    _high: Float[np.ndarray, " M"]

    @property
    def value(self) -> np.ndarray:
        """One float64 per member, shape ``[M]``; a member without a number is masked."""
        return _absent(self._value)

    @property
    def standard_error(self) -> np.ndarray:
        """Monte-Carlo or sampling standard error, shape ``[M]``, masked where the value is exact."""
        return _absent(self._standard_error)

    @property
    def low(self) -> np.ndarray:
        """Lower end of the 95 % interval, shape ``[M]``, masked where there is none."""
        return _absent(self._low)

    @property
    def high(self) -> np.ndarray:
        """Upper end of the 95 % interval, shape ``[M]``, masked where there is none."""
        return _absent(self._high)

    @property
    def ok(self) -> bool:
        """Whether every member has a number."""
        return all(status is Status.OK for status in self.statuses)

    def rows(self) -> list[dict[str, Any]]:
        """The record's rows, one a member, in the order of the schema."""

        def number(array: np.ndarray, member: int) -> float | None:
            return float(array[member]) if np.isfinite(array[member]) else None

        return [
            {
                "member": member,
                "name": self.name,
                "family": self.family,
                "value": number(self._value, member),
                "low": number(self._low, member),
                "high": number(self._high, member),
                "standard_error": number(self._standard_error, member),
                "unit": self.unit,
                "direction": self.direction.value,
                "status": status.code,
                "reason": reason,
                "passes": {"forward": self.passes.forward, "backward": self.passes.backward},
                "seconds": self.seconds,
            }
            for member, (status, reason) in enumerate(zip(self.statuses, self.reasons, strict=True))
        ]

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> "Reading":
        """Rebuild a reading from its rows.

        Args:
            rows: The rows of one name, in the order of members.

        Returns:
            The reading that wrote them.
        """
        first = rows[0]

        def column(key: str) -> np.ndarray:
            return np.array([np.nan if row[key] is None else row[key] for row in rows], dtype=np.float64)

        return cls(
            name=first["name"],
            family=first["family"],
            unit=first["unit"],
            direction=Direction(first["direction"]),
            statuses=tuple(Status.of(row["status"]) for row in rows),
            reasons=tuple(row["reason"] for row in rows),
            passes=Passes(**first["passes"]),
            seconds=first["seconds"],
            _value=column("value"),
            _standard_error=column("standard_error"),
            _low=column("low"),
            _high=column("high"),
        )

    def _repr_html_(self) -> str:
        """A table of the members for notebooks."""
        from html import escape

        cells = "".join(
            f"<tr><td>{row['member']}</td><td>{'—' if row['value'] is None else format(row['value'], '.5g')}</td>"
            f"<td>{escape(row['status'])}</td><td>{escape(row['reason'])}</td></tr>"
            for row in self.rows()
        )
        return (
            f"<b>{escape(self.name)}</b> ({escape(self.direction.value)})"
            f"<table><tr><th>member</th><th>value</th><th>status</th><th>reason</th></tr>{cells}</table>"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A reading that is a curve or a table rather than a number, such as the margin distribution.

    Attributes:
        name: Kebab-case.
        family: The file it was declared in.
        rows: Plain rows; every row has ``member``.
    """

    name: str
    family: str
    rows: tuple[Mapping[str, Any], ...]
