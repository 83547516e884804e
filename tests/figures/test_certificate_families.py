"""Every family on one axis: a mark for each value above zero, promises told from estimates, the rule at the loss's maximum."""

from typing import Any

from tests.figures.test_figures import fields_of, rows_of

from heldout.figures.certificate_families import certificate_families


def row(name: str, value: float | None, kept: bool) -> dict[str, Any]:
    return {"name": name, "family": "a", "member": 0, "value": value, "empirical_risk": 0.0, "status": "valid", "kept": kept,
            "highest": 1.0, "reason": "not drawn"}  # fmt: skip


def test_marks_rule_and_order() -> None:
    given = [
        row("b", 0.5, True),
        row("a", 3e8, True),
        row("none", None, True),
        row("e", 0.2, False),
        row("zero", 0.0, True),
    ]
    chart = certificate_families(given).to_dict()
    marks = [r for r in rows_of(chart) if "value" in r]
    assert [(r["name"], r["value"]) for r in marks[:3]] == [
        ("b", 0.5),
        ("a", 3e8),
        ("e", 0.2),
    ]  # 0 has no place on the axis
    assert {r["highest"] for r in rows_of(chart) if "highest" in r} == {1.0}
    assert fields_of(chart) >= {"value", "name", "family", "highest"}
    orders = [layer["encoding"]["y"]["sort"] for layer in chart["layer"] if "y" in layer["encoding"]]
    assert orders == [["b", "a", "e"]] * 2


def test_ticks_stand_where_a_loss_was_seen() -> None:
    chart = certificate_families([row("b", 0.5, True) | {"empirical_risk": 0.1}, row("a", 0.6, True)]).to_dict()
    assert len(chart["layer"]) == 4
    assert "empirical_risk" in fields_of(chart)


def test_no_two_families_look_alike_and_each_is_named_once() -> None:
    names = [f"family {place}" for place in range(36)]
    chart = certificate_families([row(f"{n} {k}", 0.5, True) | {"family": n} for n in names for k in (0, 1)]).to_dict()
    (marks,) = [layer["encoding"] for layer in chart["layer"] if "shape" in layer["encoding"]]
    for channel in ("color", "stroke", "shape"):
        assert marks[channel]["scale"]["domain"] == names
    assert len(set(zip(*(marks[channel]["scale"]["range"] for channel in ("color", "shape")), strict=True))) == 36
    named = [r for r in rows_of(chart) if set(r) == {"name", "family"}]
    assert named == [{"name": f"{n} 0", "family": n} for n in names]
