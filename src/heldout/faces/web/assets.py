"""What pages load: files of this package and the Vega bundle, each under an address that changes with its content."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLE = Path(__file__).parents[1] / "report" / "report.css"  # type and colours are those of the reports
VEGA = "vega.js"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@cache
def asset_address(name: str) -> str:
    """The address of an asset, for pages to link to.

    Args:
        name: One of :func:`asset_names`.

    Returns:
        A path with a hash in it, so that a browser may keep it for ever.
    """
    return f"/assets/{_edition()}/{name}"


@cache
def _edition() -> str:
    """A hash of all assets together: they change together, and a script may load its neighbours by their names."""
    # The bundle takes a second to make and is decided by the version: an address need not wait for its content.
    contents = [version("vl-convert-python").encode(), *(path.read_bytes() for path in _files().values())]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


@cache
def _files() -> dict[str, Path]:
    paths = [STYLE, *sorted(path for path in STATIC.iterdir() if path.suffix in TYPES)]
    return {path.name: path for path in paths}


def asset_names() -> list[str]:
    """Every asset there is: nothing else is ever opened."""
    return [VEGA, *_files()]


@cache
def asset(name: str) -> tuple[bytes, str]:
    """An asset.

    Args:
        name: One of :func:`asset_names`.

    Returns:
        Its content and type.
    """
    if name == VEGA:
        from heldout.faces.report.drawing import script

        return script().encode(), TYPES[".js"]
    path = _files()[name]
    return path.read_bytes(), TYPES[path.suffix]
