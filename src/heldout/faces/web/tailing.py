"""Tails: each training that somebody watches is looked at once for all its viewers, and its segments are kept ready as events."""

import asyncio
import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from heldout.engine.store import Store, read_result
from heldout.engine.store.readings import plain_rows, read_segment, segment_names
from heldout.faces.web.reading import stamp
from heldout.records import Refusal

#: Seconds between two looks; also how long a viewer's events gather.
PAUSE = 0.25
#: Looks at a segment that cannot be read before it is called broken: a copy may be under way.
TRIES = 4
#: Bytes of events that are kept ready, of all viewers of a training together; older ones are read again.
READY = 32 * 2**20
#: The last event of a training that ended, and what a viewer says that has seen it.
END = "final"


class Tail:
    """One training as it goes on.

    Args:
        store: Where.
        run: A listed name.
    """

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run = store, run
        self.names: list[str] = []
        self.end = ""
        self.viewers = 0
        self.changed = asyncio.Event()
        self._ready: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._stamp: Any = None
        self._tries: dict[str, int] = {}

    async def follow(self) -> None:
        """Look for new segments until nobody watches any more or the training has ended."""
        while not self.end:
            found = await asyncio.to_thread(self._look)
            if found:
                self._wake()
            await asyncio.sleep(PAUSE)

    async def events(self, names: Sequence[str]) -> bytes:
        """Segments as events.

        Args:
            names: Theirs.

        Returns:
            The events, one after the other.
        """
        lacking = [name for name in names if name not in self._ready]
        made = await asyncio.to_thread(lambda: [self._event(name) for name in lacking]) if lacking else []
        own = dict(zip(lacking, made, strict=True))
        content = b"".join(own.get(name) or self._ready[name] for name in names)
        for name, event in own.items():
            self._keep(name, event)
        return content

    def after(self, name: str) -> int:
        """The place of the first segment behind another.

        Args:
            name: Of a segment, or anything that sorts among them.

        Returns:
            A place in :attr:`names`.
        """
        return bisect_right(self.names, name)

    def _look(self) -> bool:
        """Whether there is anything new: segments, or the end."""
        now = stamp(self.store, "trajectories", self.run)
        if now == self._stamp:
            return False
        ended = bool(self.store.files.exists(f"{self.store.path}/trajectories/{self.run}/final.json"))
        listed = segment_names(
            self.store, self.run
        )  # after the question whether it ended: none is written behind the end
        new = listed[bisect_right(listed, self.names[-1]) if self.names else 0 :]
        for name in new:
            if name in new[-TRIES:] and not self._sound(name):
                return name != new[0]  # what comes behind it waits, so that order is kept
            self.names.append(name)
        self._stamp = now
        if ended:
            self.end = self._ended()
        return bool(new or ended)

    def _sound(self, name: str) -> bool:
        """Whether a segment may be sent: it can be read, or has been tried often enough to be called broken."""
        event = self._event(name)
        if event.startswith(b"event: fault"):
            self._tries[name] = self._tries.get(name, 0) + 1
            if self._tries[name] < TRIES:
                return False
        self._keep(name, event)
        return True

    def _event(self, name: str) -> bytes:
        try:
            rows = plain_rows(read_segment(self.store, self.run, name))
        except Refusal as refusal:
            return event("fault", {"segment": name, "sentence": str(refusal)}, name)
        return event("segment", rows, name)

    def _ended(self) -> str:
        try:
            outcome = read_result(self.store, "training", self.run)["outcome"]
        except Refusal as refusal:
            outcome = {"note": str(refusal)}
        return event("end", outcome, END).decode()

    def _keep(self, name: str, content: bytes) -> None:
        self._size += len(content) - len(self._ready.pop(name, b""))
        self._ready[name] = content
        while self._size > READY and len(self._ready) > 1:
            self._size -= len(self._ready.popitem(last=False)[1])

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Tails:
    """The trainings that are watched now.

    Args:
        store: Of the trainings.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tails: dict[str, tuple[Tail, asyncio.Task[None]]] = {}

    def open(self, run: str) -> Tail:
        """Begin to watch.

        Args:
            run: A listed name.

        Returns:
            The tail that all viewers of the training share.
        """
        if run not in self._tails:
            tail = Tail(self.store, run)
            self._tails[run] = (tail, asyncio.create_task(tail.follow()))
        tail = self._tails[run][0]
        tail.viewers += 1
        return tail

    def close(self, tail: Tail) -> None:
        """Watch no longer; with its last viewer a tail goes.

        Args:
            tail: Which :meth:`open` gave.
        """
        tail.viewers -= 1
        if tail.viewers == 0:
            self._tails.pop(tail.run)[1].cancel()


def event(kind: str, data: Any, name: str = "") -> bytes:
    r"""One server-sent event.

    Args:
        kind: Its type.
        data: Plain values.
        name: What a viewer that reconnects says it has seen; empty for what need not be resumed.

    Returns:
        Its bytes.

    Example:
        >>> event("end", {"a": "x\ny"}, "final")
        b'event: end\nid: final\ndata: {"a":"x\\ny"}\n\n'
    """
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), default=str)
    return f"event: {kind}\n{f'id: {name}' + chr(10) if name else ''}data: {text}\n\n".encode()
