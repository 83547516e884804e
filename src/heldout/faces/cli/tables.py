"""Tables in the terminal: as wide as it is, and whole where the output goes into a file or a pipe."""

from collections.abc import Sequence


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table.

    Args:
        columns: Their names.
        rows: Their words, taken as they are.
        title: Above it.
    """
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*[Text(word) for word in row])
    # In a pipe there is no width to keep to, and a word must not be cut: grep is at the other end.
    console = Console() if sys.stdout.isatty() else Console(width=max(200, _width(columns, rows)))
    with console.capture() as drawn:  # rich would end the program itself if the reader of a pipe went away
        console.print(table)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def _width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, cells)) + 2 for cells in zip(columns, *rows, strict=True))
