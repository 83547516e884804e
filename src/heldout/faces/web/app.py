"""The application: every route, behind the guard."""

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from heldout.engine.store import Store
from heldout.faces.web.guarding import Guard, Place
from heldout.faces.web.index import Index
from heldout.faces.web.pages import message_page
from heldout.faces.web.site import Site
from heldout.faces.web.streaming import Streams
from heldout.records import Refusal

HOME = [("/", "All runs")]
SENTENCES = {
    404: "There is no such page.",
    405: "Pages can be read and nothing else.",
    500: "This page could not be made: that is a fault of heldout's; the terminal of 'heldout serve' says more.",
    503: "Too many viewers at once; come again.",
}


class Catalog(NamedTuple):
    """What the pages know of the catalog, which lies above them.

    Attributes:
        rows: All units, as ``heldout list --json`` says them, each with its summary.
        explain: One name, as ``heldout explain --json`` says it; a Refusal for a stranger.
    """

    rows: Callable[[], Sequence[Mapping[str, Any]]]
    explain: Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Pages:
    """An application with what keeps it up to date.

    Attributes:
        application: For an ASGI server.
        index: Of the store.
        streams: Whose ``closing`` ends them all.
    """

    application: Guard
    index: Index
    streams: Streams


def pages(store: Store, token: str, place: Place, catalog: Catalog, *, pause: float = 1.0) -> Pages:
    """The pages of a store.

    Args:
        store: Whose.
        token: Who knows it may read.
        place: Where they answer.
        catalog: What is said of units.
        pause: Seconds between two looks at the store.

    Returns:
        The application, whose index begins to follow the store when it is started.
    """
    index = Index(store)
    streams = Streams(index)
    site = Site(store, index, streams, catalog.rows, catalog.explain)
    stop = threading.Event()

    def warm() -> None:
        catalog.rows()
        from heldout.engine.watching import advice, phases  # noqa: F401  (so that nobody waits for torch and scipy)

    @contextlib.asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        streams.start()
        follower = threading.Thread(
            target=index.follow, args=(stop, streams.told, pause, warm), daemon=True, name="index"
        )
        follower.start()
        try:
            yield
        finally:
            streams.closing = True
            stop.set()
            follower.join(1)

    routes = [Route(path, endpoint, methods=["GET"]) for path, endpoint in site.routes()]
    app = FastAPI(routes=routes, lifespan=living, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.redirect_slashes = False
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Exception, _fault)
    return Pages(Guard(app, token, place, lambda title, sentence: message_page(title, sentence, [])), index, streams)


async def _http(_: Any, error: Any) -> Response:
    sentence = SENTENCES.get(error.status_code, str(error.detail))
    return HTMLResponse(message_page(TITLES.get(error.status_code, "Not here"), sentence, HOME), error.status_code)


async def _refused(_: Any, error: Any) -> Response:
    """A query or record that is not as it should be: the sentence says what to do."""
    return HTMLResponse(message_page("Not understood", f"{str(error)[:1].upper()}{str(error)[1:]}", HOME), 400)


async def _fault(_: Any, __: Exception) -> Response:
    return HTMLResponse(message_page("A fault", SENTENCES[500], HOME), 500)


TITLES = {404: "Not found", 405: "Not allowed", 503: "Too many viewers"}
