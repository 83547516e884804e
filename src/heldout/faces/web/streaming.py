"""Streams: server-sent events of one training, or of the list of runs."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from heldout.faces.web.index import Index
from heldout.faces.web.tailing import END, PAUSE, Tail, Tails, event

#: Seconds without news after which a stream says that it is alive.
HEARTBEAT = 15.0
#: Seconds that one portion may take to be received; who is slower is told to come again and go on from there.
SLOW = 20.0
#: Segments of a portion: a long training is sent piece by piece.
PORTION = 200
#: Milliseconds after which a browser that lost the stream asks again.
RETRY = b"retry: 1000\n\n"


class Streams:
    """All open streams of a server.

    Args:
        index: Of the store.
    """

    def __init__(self, index: Index) -> None:
        self.index, self.tails = index, Tails(index.store)
        self.closing = False
        self.news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def told(self) -> None:
        """The index has changed; called from its thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def start(self) -> None:
        """Remember the loop that streams run in."""
        self._loop = asyncio.get_running_loop()

    async def training(self, run: str, after: str) -> AsyncIterator[bytes]:
        """The segments of a training behind one, and those to come; nothing is left out and nothing is held for a slow viewer.

        Args:
            run: A listed name.
            after: The last segment that the viewer has; empty for none.

        Yields:
            Portions of events.
        """
        tail = self.tails.open(run)
        try:
            yield RETRY
            async for portion in self._portions(tail, after):
                began = time.monotonic()
                yield portion
                if time.monotonic() - began > SLOW:
                    yield event("behind", {"sentence": "This viewer is slow: it comes again and goes on where it was."})
                    return
        finally:
            self.tails.close(tail)

    async def runs(self) -> AsyncIterator[bytes]:
        """How many runs there are, the newest, and how far the index is, whenever that changes.

        Yields:
            Events.
        """
        yield RETRY
        said: Any = None
        while not self.closing:
            news = self.news
            names = self.index.names
            now = {"total": len(names), "newest": next(reversed(names), None), "indexing": self.index.progress}
            if (now, self.index.version) != said:
                said = (now, self.index.version)
                yield event("runs", now)
                await asyncio.sleep(2 * PAUSE)
            elif not await _set(news, HEARTBEAT, lambda: self.closing):
                yield b": alive\n\n"

    async def _portions(self, tail: Tail, after: str) -> AsyncIterator[bytes]:
        last = after
        while not self.closing:
            changed = tail.changed
            place = tail.after(last)
            names = tail.names[place : place + PORTION]
            if names:
                yield await tail.events(names)
                last = names[-1]
            elif tail.end:
                yield b"" if after == END else tail.end.encode()
                return
            elif not await _set(changed, HEARTBEAT, lambda: self.closing):
                yield b": alive\n\n"

    def _wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


async def _set(changed: asyncio.Event, seconds: float, closing: Callable[[], bool]) -> bool:
    """Whether an event happens in time; a server that closes does not wait for it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            await asyncio.wait_for(changed.wait(), 1.0)
        except TimeoutError:
            if closing():
                return True
        else:
            return True
    return False
