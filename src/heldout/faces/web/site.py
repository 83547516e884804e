"""What each address answers."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from heldout.engine.store import Store, read_result
from heldout.engine.store.readings import plain_rows
from heldout.faces.web import pages, views
from heldout.faces.web.addresses import PLACES, page_address
from heldout.faces.web.answers import (
    asked_of,
    asset_response,
    attachment,
    ending_of,
    file_response,
    missing_page,
    odd_record,
    split_name,
)  # fmt: skip
from heldout.faces.web.downloads import flat_table, record_table, runs_table
from heldout.faces.web.drawings import Drawing, drawings, picture
from heldout.faces.web.histories import Histories, drawn_rows
from heldout.faces.web.index import Index
from heldout.faces.web.streaming import Streams
from heldout.faces.web.tailing import END
from heldout.faces.web.watched import Watched, about_of, training_drawings
from heldout.records import Refusal

KINDS = {place: kind for kind, place in PLACES.items()}
PICTURES = {"svg": "image/svg+xml", "png": "image/png", "vl.json": "application/json"}
#: Streams at once; each is a connection and no memory beyond its buffer.
VIEWERS = 2000
#: Runs beside each other: as many as a table can have columns that are read.
COMPARED = 12


class Site:
    """The pages of one store.

    Args:
        store: Whose.
        index: Of it.
        streams: For viewers.
        catalog: All units.
        explain: One of them.
    """

    def __init__(
        self, store: Store, index: Index, streams: Streams, catalog: Callable[[], Sequence[Mapping[str, Any]]],
        explain: Callable[[str], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self.store, self.index, self.streams = store, index, streams
        self.catalog, self.explain = catalog, explain
        self.histories, self.watched = Histories(store), Watched()
        self.viewers = 0

    def routes(self) -> list[tuple[str, Callable[..., Any]]]:
        """Paths and who answers, the most special first."""
        return [
            ("/", self.runs),
            ("/runs.{ending}", self.runs_download),
            ("/compare", self.compare),
            ("/compare.{ending}", self.compare_download),
            ("/readings", self.readings),
            ("/readings.{ending}", self.readings_download),
            ("/catalog", self.catalog_list),
            ("/catalog.{ending}", self.catalog_download),
            ("/catalog/{name}", self.unit),
            ("/events", self.run_events),
            ("/events/{run}", self.training_events),
            ("/assets/{edition}/{name}", asset_response),
            ("/figures/{place}/{run}/{figure}", self.figure),
            ("/{place}/{name}", self.result),
        ]

    def runs(self, request: Request) -> Response:
        """All runs."""
        return HTMLResponse(
            pages.runs_page(views.runs_view(self.index, asked_of(request, views.RUNS, views.RUNS_SEVERAL)))
        )

    def runs_download(self, request: Request) -> Response:
        """The runs of a query, all pages of it."""
        view = views.runs_view(self.index, asked_of(request, views.RUNS, views.RUNS_SEVERAL), size=None)
        return file_response(iter([runs_table(view)]), ending_of(request), "runs")

    def compare(self, request: Request) -> Response:
        """Runs beside each other."""
        return HTMLResponse(pages.compare_page(self._compared(request)))

    def compare_download(self, request: Request) -> Response:
        """The same as a table: a row a reading and run."""
        rows = views.compare_rows(self._compared(request))
        return file_response(iter([flat_table(rows)]), ending_of(request), "compare")

    def readings(self, request: Request) -> Response:
        """Readings of all runs."""
        return HTMLResponse(pages.readings_page(views.readings_view(self.index, asked_of(request, views.TABLE))))

    def readings_download(self, request: Request) -> Response:
        """The readings of a query, all pages of it, portion by portion."""
        portions = views.readings_portions(self.index, asked_of(request, views.TABLE))
        return file_response(portions, ending_of(request), "readings")

    def catalog_list(self, _: Request) -> Response:
        """All units."""
        return HTMLResponse(pages.catalog_page(self.catalog()))

    def catalog_download(self, request: Request) -> Response:
        """All units as a table."""
        ending = ending_of(request)  # before the catalog is loaded
        return file_response(iter([flat_table(self.catalog())]), ending, "catalog")

    def unit(self, request: Request) -> Response:
        """One unit."""
        name, ending = split_name(request.path_params["name"])
        try:
            found = self.explain(name)
        except Refusal as refusal:
            return missing_page("Not in the catalog", str(refusal), [("/catalog", "The catalog")])
        if ending:
            return (
                JSONResponse(dict(found))
                if ending == "json"
                else file_response(iter([flat_table([found])]), ending, name)
            )
        return HTMLResponse(pages.unit_page(found))

    def result(self, request: Request) -> Response:
        """One result, or its data."""
        kind = KINDS.get(request.path_params["place"])
        if kind is None:
            raise HTTPException(404)
        run, ending = split_name(request.path_params["name"])
        lost = self._lost(kind, run)
        if lost is not None:
            return lost
        record = read_result(self.store, kind, run)
        if kind == "training":
            return self._training(run, record, ending)
        try:
            if ending == "json":
                return JSONResponse(record, headers=attachment(run, ending))
            if ending:
                return file_response(iter([record_table(kind, record)]), ending, run)
            return HTMLResponse(getattr(pages, f"{kind}_page")(run, record))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise odd_record(kind, run, error) from error

    def figure(self, request: Request) -> Response:
        """One figure of a result."""
        kind, run = KINDS.get(request.path_params["place"], ""), request.path_params["run"]
        name, _, ending = request.path_params["figure"].partition(".")
        lost = self._lost(kind, run)
        if lost is not None:
            return lost
        record = read_result(self.store, kind, run)
        drawn: Mapping[str, Drawing]
        try:
            drawn = self._curves(run, record) if kind == "training" else drawings(kind, record)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise odd_record(kind, run, error) from error
        if name not in drawn or ending not in PICTURES:
            raise HTTPException(404)
        content = picture(drawn[name].specification, ending)
        return Response(content, media_type=PICTURES[ending], headers=attachment(f"{run}-{name}", ending))

    async def run_events(self, _: Request) -> Response:
        """The list of runs as it changes."""
        return self._stream(self.streams.runs())

    async def training_events(self, request: Request) -> Response:
        """A training as it goes on."""
        run = request.path_params["run"]
        lost = self._lost("training", run)
        if lost is not None:
            return lost
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if after == END:
            return Response(status_code=204)  # a browser that is told so does not ask again
        return self._stream(self.streams.training(run, after))

    def _stream(self, events: Any) -> Response:
        if self.viewers >= VIEWERS:
            raise HTTPException(503)

        async def counted() -> Any:
            self.viewers += 1
            try:
                async for portion in events:
                    yield portion
            finally:
                self.viewers -= 1
                await events.aclose()

        return StreamingResponse(counted(), media_type="text/event-stream")

    def _training(self, run: str, record: Mapping[str, Any], ending: str) -> Response:
        history = self.histories[run]
        about = about_of(run, record, history)
        if ending == "json":
            return JSONResponse({**record, "rows": plain_rows(history.table)}, headers=attachment(run, ending))
        if ending:
            return file_response(iter([history.table]), ending, run)
        phases, advice = self.watched(run, history, record)
        return HTMLResponse(pages.training_page(run, about, drawn_rows(history.table), phases, advice))

    def _curves(self, run: str, record: Mapping[str, Any]) -> dict[str, Drawing]:
        history = self.histories[run]
        return training_drawings(history, self.watched(run, history, record)[0])

    def _compared(self, request: Request) -> dict[str, Any]:
        named = [run for value in request.query_params.getlist("runs") for run in value.split(",") if run]
        known = [run for run in dict.fromkeys(named) if run in self.index.names][:COMPARED]
        return views.compare_view(self.index, known, {"runs": ",".join(known)})

    def _lost(self, kind: str, run: str) -> Response | None:
        """A page with the nearest names, where a run is not listed: only names that are listed are ever opened."""
        if self.index.names.get(run) != kind:
            self.index.refresh()
        held = self.index.names.get(run)
        if held == kind:
            return None
        own = [name for name, its in self.index.names.items() if its == kind]
        near = [name for name in own if run and (name.startswith(run) or name.endswith(run))][:5]
        near = near or difflib.get_close_matches(run, own[-2000:], n=5, cutoff=0.3)
        links = [(page_address(kind, name), name) for name in near] if kind in PLACES else []
        links = [(page_address(held, run), f"The {held} of this name"), *links] if held else links
        words = f"There is no {kind or 'result'} '{run[:80]}' in this store."
        return missing_page("Not found", f"{words}{' The nearest are:' if links else ''}", [*links, ("/", "All runs")])
