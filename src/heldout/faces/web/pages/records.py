"""Pages of kept records: the report's own content in the server's shell, with the data and every figure to take away."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from heldout.faces.report.certificates import render_certificates
from heldout.faces.report.judgement import render_judgement
from heldout.faces.report.posterior import render_posterior
from heldout.faces.report.rendering import render
from heldout.faces.report.study import render_study
from heldout.faces.web.addresses import page_address
from heldout.faces.web.pages.shell import page_of, trail_of

Record = Mapping[str, Any]


def audit_page(run: str, record: Record) -> str:
    """The page of an audit.

    Args:
        run: Its name.
        record: What ``Audit.to_dict`` gave.

    Returns:
        The page.
    """
    return render(record, _maker("audit", run))


def study_page(run: str, record: Record) -> str:
    """The page of a study.

    Args:
        run: Its name.
        record: What ``StudyRecord.to_dict`` gave.

    Returns:
        The page.
    """
    return render_study(record, _maker("study", run))


def judgement_page(run: str, record: Record) -> str:
    """The page of a judgement.

    Args:
        run: Its name.
        record: What ``Judgement.to_dict`` gave.

    Returns:
        The page.
    """
    return render_judgement(record, _maker("judgement", run))


def certification_page(run: str, record: Record) -> str:
    """The page of certificates.

    Args:
        run: Its name.
        record: What ``Certificates.to_dict`` gave.

    Returns:
        The page.
    """
    return render_certificates(record, _maker("certification", run))


def posterior_page(run: str, record: Record) -> str:
    """The page of a sampled posterior.

    Args:
        run: Its name.
        record: What ``Posterior.to_dict`` gave.

    Returns:
        The page.
    """
    return render_posterior(record, _maker("posterior", run))


def prediction_page(run: str, record: Record) -> str:
    """The page of a prediction.

    Args:
        run: Its name.
        record: What ``Prediction.to_dict`` gave.

    Returns:
        The page.
    """
    reasons = list(dict.fromkeys(row["reason"] for row in record["rows"] if row["reason"]))
    return _maker("prediction", run)("prediction.html.j2", run=run, record=record, reasons=reasons)


def _maker(kind: str, run: str) -> partial[str]:
    return partial(page_of, trail=trail_of(kind, run), figure_path=f"/figures{page_address(kind, run)}")
