"""How each kind of result is shown in a terminal, and who writes its page."""

from collections.abc import Callable, Mapping
from typing import Any

Record = Mapping[str, Any]


def show_result(kind: str, record: Record) -> None:
    """Print a stored result as its command printed it.

    Args:
        kind: Of the result.
        record: As it was kept.
    """
    from heldout.faces.certificates_terminal import show_certificates
    from heldout.faces.cli.judging import show_judgement
    from heldout.faces.cli.posterior import show_posterior
    from heldout.faces.cli.predict import show_prediction
    from heldout.faces.study_terminal import show_study
    from heldout.faces.terminal import show

    shows: dict[str, Callable[..., None]] = {
        "audit": show,
        "certification": show_certificates,
        "judgement": show_judgement,
        "posterior": show_posterior,
        "prediction": show_prediction,
        "study": show_study,
        "training": show_training,
    }
    shows[kind](record)


def show_training(record: Record) -> None:
    """Print what is known of a training; its readings are tables and curves, which ``heldout serve`` shows.

    Args:
        record: What was said at its beginning, with ``outcome``.
    """
    import typer

    told = {key: value for key, value in record.items() if key != "outcome" and not isinstance(value, (list, Mapping))}
    for key, value in told.items():
        typer.echo(f"{key}: {value}")
    ended = record["outcome"]
    typer.echo("not finished" if ended is None else "finished")
    for key, value in (ended or {}).items():
        if isinstance(value, (str, int, float)):
            typer.echo(f"{key}: {value}")
    typer.echo("Its curves are on the pages of 'heldout serve'.")


def page_writer(kind: str) -> Callable[[Record, str], str] | None:
    """Who writes the page of a result.

    Args:
        kind: Of the result.

    Returns:
        A function of record and path; None where a kind has no report.
    """
    from heldout.faces import report

    return {
        "audit": report.write_report,
        "certification": report.write_certificates_report,
        "judgement": report.write_judgement_report,
        "posterior": report.write_posterior_report,
        "study": report.write_study_report,
    }.get(kind)


def check_has_report(kind: str, report: str) -> None:
    """Refuse a report of what has none.

    Args:
        kind: Of the result.
        report: Path that was asked for; empty for none.

    Raises:
        Refusal: If this kind has no report.
    """
    from heldout.records import Refusal

    if report and page_writer(kind) is None:
        raise Refusal(
            given=f"--report was '{report}', and a {kind} has no report",
            expected="an audit, certification, judgement, posterior or study",
            do="leave it out, or see its page with 'heldout serve'",
        )
