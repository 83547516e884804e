"""Where results go: tried before hours are spent, written whole, then renamed."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heldout.faces.cli.saying import NotWritten
from heldout.records import Refusal, refuse


def check_outputs(report: str, json_path: str, store: str) -> None:
    """Refuse places where nothing can be written; leaves nothing behind.

    Args:
        report: Path of the report; empty for none.
        json_path: Path of the record, ``-`` for standard output; empty for none.
        store: Directory or URL; empty for none.
    """
    faults: list[Refusal] = []
    for argument, path in (("--report", report), ("--json", json_path)):
        if path and path != "-":
            faults += _file_faults(path, argument)
    if report and json_path and Path(report).absolute() == Path(json_path).absolute():
        faults.append(Refusal(given=f"--report and --json were both '{report}'", expected="two files", do="rename one"))
    if store:
        from heldout.engine.store import Store

        try:
            Store(store).check_writable()
        except Refusal as fault:
            faults.append(fault)
    refuse(faults)


def write_json(record: Mapping[str, Any], path: str) -> None:
    """Write a record.

    Args:
        record: Plain values.
        path: Where; ``-`` for standard output.
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    place = Path(path).resolve()  # a link stays a link
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp is for secrets; a record may be read like any other file
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_outputs(
    record: Mapping[str, Any],
    report: str,
    json_path: str,
    kept: list[str],
    *,
    quiet: bool,
    writer: Callable[[Mapping[str, Any], str], str] | None = None,
) -> None:
    """Write report and record and say where. Each is tried, so that one full disk does not cost the other.

    Args:
        record: What an audit gave.
        report: Path; empty for none.
        json_path: Path or ``-``; empty for none.
        kept: Lines on what is already kept.
        quiet: Say nothing on standard output.
        writer: Writes the page; that of an audit unless given.

    Raises:
        BrokenPipeError: If the reader of standard output went away.
        NotWritten: If one could not be written; the sentence says what was kept.
    """
    failures: list[str] = []
    cause: Exception | None = None
    for name, path in (("record", json_path), ("report", report)):
        if not path:
            continue
        try:
            if name == "record":
                write_json(record, path)
            else:
                from heldout.faces.report import write_report

                (writer or write_report)(record, path)
        except BrokenPipeError:
            raise
        except Exception as error:  # a fault of ours in one of them must not cost hours of work either
            cause = error
            reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            failures.append(f"the {name} '{path}' ({reason or error})")
        else:
            kept = [*kept, f"{name}: {path}"] if path != "-" else kept
    for line in kept if not quiet else []:
        print(line)
    if failures:
        rest = f"; kept are {', '.join(kept)}" if kept else ""
        raise NotWritten(f"could not write {' and '.join(failures)}{rest}.") from cause


def keep_result(kind: str, record: Mapping[str, Any], store: str) -> list[str]:
    """Keep a record in a store.

    Args:
        kind: Of the result.
        record: Plain values.
        store: Directory or URL; empty for none.

    Returns:
        The line that says under which name; none without a store.
    """
    if not store:
        return []
    from heldout.engine.store import Store, write_result
    from heldout.engine.store.writing import said_in_a_sentence

    with said_in_a_sentence(store, "nothing is lost but this record"):
        return [f"run: {write_result(Store(store), kind, record)}"]


def _file_faults(path: str, argument: str) -> list[Refusal]:
    place = Path(path).absolute()
    reason = ""
    if place.is_dir():
        reason = "a folder"
    elif not place.parent.is_dir():
        reason = f"'{Path(path).parent}' is no folder"
    elif place.exists() and not place.is_file():
        reason = "a device or a pipe, which a renamed file would replace"
    else:
        try:
            with tempfile.TemporaryFile(dir=place.parent):
                pass
        except OSError as error:
            reason = error.strerror or str(error)
    if not reason:
        return []
    return [
        Refusal(
            given=f"{argument} was '{path}' ({reason})",
            expected="a file in a folder that can be written to",
            do="make the folder first or pass another path",
        )
    ]
