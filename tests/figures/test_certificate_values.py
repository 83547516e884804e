"""Certificates: a mark for each bound and member."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn, rows_of


def test_certificate_values() -> None:
    shown = [row for row in rows_of(drawn("certificate-values", grouped())) if row.get("value")]
    given = {(row["name"], row["member"]): row["value"] for row in grouped()["certificates"]}
    assert {(row["name"], row["member"]): row["value"] for row in shown} == given
