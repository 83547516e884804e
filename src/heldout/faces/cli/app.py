"""The entry point: words are read first, then the job runs, and every way to end has its sentence and its exit code.

0: done. 1: a fault of heldout's, or an output that could not be written. 2: an input that heldout will not work on. 130:
stopped with Ctrl-C.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from heldout._version import __version__
from heldout.faces.cli.audit import audit_command
from heldout.faces.cli.catalog import explain_command, list_command
from heldout.faces.cli.certify import certify_command
from heldout.faces.cli.difficulty import difficulty_command
from heldout.faces.cli.judge import judge_command
from heldout.faces.cli.posterior import posterior_command
from heldout.faces.cli.predict import predict_command
from heldout.faces.cli.runs import runs_command, show_command
from heldout.faces.cli.saying import is_refusal, is_usage, kept_after_interrupt, sentence
from heldout.faces.cli.serve import serve_command
from heldout.faces.cli.study import app as study_app
from heldout.faces.cli.watch import watch_command

app = typer.Typer(
    name="heldout",
    help="What your neural network will do on data it has not seen: measured, certified, explained.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("audit")(audit_command)
app.command("certify")(certify_command)
app.command("difficulty")(difficulty_command)
app.command("judge")(judge_command)
app.command("posterior")(posterior_command)
app.command("predict")(predict_command)
app.command("watch")(watch_command)
app.command("list")(list_command)
app.command("explain")(explain_command)
app.command("runs")(runs_command)
app.command("show")(show_command)
app.command("serve")(serve_command)
app.add_typer(study_app, name="study")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of a fault; accepted anywhere.")] = False,
) -> None:
    """What your neural network will do on data it has not seen: measured, certified, explained."""
    if version:
        typer.echo(f"heldout {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: Its words after ``heldout``; those of the process if None.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    # Warnings of libraries would stand between the user and the one sentence; our own are said at the end.
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("default")
        try:
            _run(words)
        except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except KeyboardInterrupt:
            _say(kept_after_interrupt(words))
            return 130
        except Exception as error:
            if debug:
                traceback.print_exc()
            _say(sentence(error))
            return 2 if is_refusal(error) or is_usage(error) else 1
    if "--quiet" not in words:
        for text in dict.fromkeys(str(note.message) for note in notes if _ours(note)):
            _say(f"note: {text}")
    return 0


def _run(words: list[str]) -> None:
    """Parse with typer, which gives the job back; the job runs outside, so that its errors and Ctrl-C are ours to answer."""
    parsed: Any = typer.main.get_command(app).main(args=words, prog_name="heldout", standalone_mode=False)
    job: Callable[[], None] | None = parsed if callable(parsed) else None
    if job is not None:
        job()
    sys.stdout.flush()


def _say(words: str) -> None:
    print(f"heldout: {' '.join(words.split())}", file=sys.stderr)


def _ours(note: warnings.WarningMessage) -> bool:
    return note.category is UserWarning and f"{os.sep}heldout{os.sep}" in note.filename
