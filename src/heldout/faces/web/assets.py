"""What pages load: files of this package and the Vega bundle, each under an address that changes with its content."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

STATIC = Path(__file__).parent / "static"
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
        name: A file of ``static/``, or ``vega.js``, which defines ``vegaEmbed``.

    Returns:
        A path with the content's hash in it, so that a browser may keep it for ever.
    """
    # The bundle takes a second to make and is decided by the version: its address need not wait for its content.
    content = version("vl-convert-python").encode() if name == VEGA else (STATIC / name).read_bytes()
    return f"/assets/{hashlib.sha256(content).hexdigest()[:16]}/{name}"


def asset_names() -> list[str]:
    """Every asset there is: nothing else is ever opened."""
    return [VEGA, *sorted(path.name for path in STATIC.iterdir() if path.suffix in TYPES)]


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
    path = STATIC / name
    return path.read_bytes(), TYPES[path.suffix]
