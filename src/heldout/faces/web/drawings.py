"""Figures of a result: the same Vega-Lite specifications that the reports carry, and their pictures."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Drawing(NamedTuple):
    """A figure with its words.

    Attributes:
        title: Above it.
        caption: Below it.
        specification: Vega-Lite with its data inside, without colours of its own.
    """

    title: str
    caption: str
    specification: dict[str, Any]


def drawings(kind: str, record: Mapping[str, Any]) -> dict[str, Drawing]:
    """The figures of a result that have something to show.

    Args:
        kind: Of the result.
        record: As it was kept; of a training its ``rows`` and ``phases``.

    Returns:
        Name -> figure.
    """
    from heldout.catalog import units
    from heldout.faces.report.certificates import specifications as of_certificates
    from heldout.faces.report.drawing import figures
    from heldout.faces.report.judgement import specifications as of_judgement
    from heldout.faces.report.posterior import figures_of
    from heldout.faces.report.study import specification
    from heldout.faces.web.pages.curves import curves_of

    if kind == "audit":
        return {
            name: Drawing(found["title"], found["caption"], found["specification"])
            for name, found in figures(record).items()
        }
    if kind == "training":
        curves = curves_of(record["rows"], record["phases"])
        return {name: Drawing(found.title, found.caption, found.specification) for name, found in curves.items()}
    if kind == "study":
        found = {record["figure"]["name"]: specification(record["figure"])}
    else:
        draw = {"certification": of_certificates, "judgement": of_judgement, "posterior": figures_of}.get(kind)
        found = {} if draw is None else draw(record)
    words = {name: unit.fields for name, unit in units("figure").items()}
    return {name: Drawing(words[name]["title"], words[name]["caption"], drawn) for name, drawn in found.items()}


def picture(specification: Mapping[str, Any], ending: str) -> bytes:
    """A figure as a file.

    Args:
        specification: Vega-Lite.
        ending: ``svg``, ``png``, or ``vl.json`` for the specification itself.

    Returns:
        The file's bytes.
    """
    if ending == "vl.json":
        return json.dumps(specification).encode()
    import vl_convert

    from heldout.faces.report.colours import standalone

    drawn = standalone(specification)
    if ending == "svg":
        return vl_convert.vegalite_to_svg(drawn, allowed_base_urls=[]).encode()
    return bytes(vl_convert.vegalite_to_png(drawn, scale=2, allowed_base_urls=[]))
