"""A bar on standard error, so that standard output stays the result's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(quiet: bool, first: str, *, doing: str = "auditing") -> Iterator[Callable[[str, float], None]]:
    """A bar with an estimate where somebody is watching, silence elsewhere.

    Args:
        quiet: Whether to be silent in any case.
        first: What is done before the first reading.
        doing: What all of it is.

    Yields:
        A function to tell the name of what was done and the share of the work that is.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn(doing), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(first, total=1.0)
        yield lambda name, share: bar.update(task, completed=share, description=name)
