"""Answers: files, pages that say what is missing, and the parts of an address."""

from collections.abc import Iterator, Sequence

import pyarrow
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from heldout.faces.web.asking import Asked, asked
from heldout.faces.web.assets import asset, asset_address, asset_names
from heldout.faces.web.downloads import TYPES, pieces
from heldout.faces.web.pages import message_page
from heldout.records import Refusal

#: Of an address that changes with its content.
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


def asset_response(request: Request) -> Response:
    """A style, a script, a picture of the pages.

    Args:
        request: For an address that :func:`asset_address` gave.

    Returns:
        The asset.

    Raises:
        HTTPException: If there is none of this name and content.
    """
    name = request.path_params["name"]
    if name not in asset_names() or request.url.path != asset_address(name):
        raise HTTPException(404)
    content, kind = asset(name)
    return Response(content, media_type=kind, headers=FOREVER)


def asked_of(request: Request, single: Sequence[str], several: Sequence[str] = ()) -> Asked:
    """The query of a request.

    Args:
        request: Whose.
        single: Fields that have one value.
        several: Fields that may be repeated.

    Returns:
        What is asked.
    """
    return asked(request.query_params.multi_items(), single, several)


def ending_of(request: Request) -> str:
    """The kind of file that an address asks for.

    Args:
        request: Whose path has an ``ending``.

    Returns:
        One of those that there are.

    Raises:
        HTTPException: If it is none of them.
    """
    ending = request.path_params["ending"]
    if ending not in TYPES:
        raise HTTPException(404)
    return str(ending)


def split_name(name: str) -> tuple[str, str]:
    """A name and the kind of file behind it.

    Args:
        name: The last part of a path.

    Returns:
        The name and its ending, which is empty for a page.

    Example:
        >>> split_name("20260131T235959Z-0123456789ab.csv"), split_name("path-norm")
        (('20260131T235959Z-0123456789ab', 'csv'), ('path-norm', ''))
    """
    stem, dot, ending = name.rpartition(".")
    return (stem, ending) if dot and ending in TYPES else (name, "")


def file_response(batches: Iterator[pyarrow.Table], ending: str, name: str) -> Response:
    """A table as a file, sent piece by piece.

    Args:
        batches: Its rows.
        ending: Of the file.
        name: Of the file.

    Returns:
        The answer.
    """
    return StreamingResponse(pieces(batches, ending), media_type=TYPES[ending], headers=attachment(name, ending))


def attachment(name: str, ending: str) -> dict[str, str]:
    """Headers that give a file its name.

    Args:
        name: Any text.
        ending: Of the file.

    Returns:
        The headers; whatever could end them is not in the name.

    Example:
        >>> attachment('a"b', "csv")
        {'content-disposition': 'attachment; filename="a-b.csv"'}
    """
    safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "-" for sign in name)
    return {"content-disposition": f'attachment; filename="{safe}.{ending}"'}


def missing_page(title: str, sentence: str, links: Sequence[tuple[str, str]]) -> Response:
    """A page that says that there is none.

    Args:
        title: In a word or two.
        sentence: What was not found.
        links: Where to go on.

    Returns:
        The answer.
    """
    return HTMLResponse(message_page(title, sentence, links), 404)


def odd_record(kind: str, run: str, error: Exception) -> Refusal:
    """Why a record cannot be shown.

    Args:
        kind: Of the result.
        run: Its name.
        error: What was met in it.

    Returns:
        The sentence, to be raised.
    """
    return Refusal(
        given=f"the record of {kind} '{run}' is not as this version shows it ({type(error).__name__}: {str(error)[:100]})",
        expected="what heldout wrote",
        do="download it as JSON, or upgrade heldout if a later one wrote it",
    )
