"""What is computed from the readings of a training when its page is opened: phases, advice, figures. Nothing of it is stored."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from heldout.faces.web.drawings import Drawing
from heldout.faces.web.histories import History, drawn_rows
from heldout.faces.web.pages.curves import curves_of
from heldout.records import Refusal

#: Steps of a reading and member that phases are found from; of a longer run evenly spaced ones.
STEPS = 2000
#: Results that are kept: a page that is opened by many is computed once.
KEPT = 32


#: What the writer of a watched run says at its beginning; other trainings say less.
ABOUT = ("kind", "name", "network", "parameters", "train", "validation", "steps", "budget", "started", "heldout")


def about_of(run: str, record: Mapping[str, Any], history: History) -> dict[str, Any]:
    """What a page says of a training beside its readings.

    Args:
        run: Its name.
        record: What was said at its beginning, with ``outcome``.
        history: Its readings.

    Returns:
        All of :data:`ABOUT` and what else was said, with ``finished, last, rows, notes``.
    """
    said = {**dict.fromkeys(ABOUT), **record}
    return {
        **said, "name": said["name"] or run, "network": str(said["network"] or "").partition("\n")[0].rstrip("("),
        "steps": said["steps"] if isinstance(said["steps"], int) else None, "finished": record["outcome"] is not None,
        "last": history.last, "rows": history.table.num_rows, "notes": list(history.notes),
    }  # fmt: skip


class Watched:
    """Phases and advice of trainings, kept until there are newer readings."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[list[dict[str, Any]], dict[str, Any] | None]] = OrderedDict()

    def __call__(
        self, run: str, history: History, record: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Phases and advice of a training so far.

        Args:
            run: Its name.
            history: Its readings.
            record: What was said at its beginning, with ``outcome``.

        Returns:
            Phases as rows, and advice, None where none can be given.
        """
        key = (run, history.last)
        if key not in self._held:
            self._held[key] = _computed(history, record)
            while len(self._held) > KEPT:
                self._held.popitem(last=False)
        return self._held[key]


def training_drawings(history: History, phases: list[dict[str, Any]]) -> dict[str, Drawing]:
    """The figures of a training.

    Args:
        history: Its readings.
        phases: As rows.

    Returns:
        Name -> figure.
    """
    curves = curves_of(drawn_rows(history.table), phases)
    return {name: Drawing(one.title, one.caption, one.specification) for name, one in curves.items()}


def _computed(history: History, record: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    from heldout.engine.watching.advice import advise
    from heldout.engine.watching.phases import phases

    if not history.last:
        return [], None
    import pandas

    table = pandas.DataFrame(drawn_rows(history.table, STEPS))
    try:
        found = phases(table)
        examples = record.get("validation")
        advice = advise(table, examples=examples if isinstance(examples, int) else None)
    except (Refusal, ValueError, KeyError, TypeError) as error:  # a stranger's table: the page shows it all the same
        return [], {"sentences": [f"No phases and no advice: {error}"]}
    said = advice.to_dict()
    facts = {"checkpoint": said["step"], "chosen by": said["measure"]} if said["step"] is not None else {}
    return [asdict(phase) for phase in found], {"sentences": list(said["sentences"].values()), **facts}
