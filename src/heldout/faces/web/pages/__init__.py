"""Pages as HTML: plain dictionaries in, a string out. Nothing here opens a file of the store or asks a question of it.

Templates escape whatever comes from a run. Style and scripts are the server's own files (``static/``), nothing stands inline but
data, and figures are the reports' specifications, drawn by Vega's interpreter: the policy forbids ``eval``.
"""

from heldout.faces.web.pages.catalog import catalog_page, unit_page
from heldout.faces.web.pages.lists import compare_page, readings_page, runs_page
from heldout.faces.web.pages.records import (
    audit_page,
    certification_page,
    judgement_page,
    posterior_page,
    prediction_page,
    study_page,
)
from heldout.faces.web.pages.shell import message_page
from heldout.faces.web.pages.training import training_page

__all__ = [
    "audit_page",
    "catalog_page",
    "certification_page",
    "compare_page",
    "judgement_page",
    "message_page",
    "posterior_page",
    "prediction_page",
    "readings_page",
    "runs_page",
    "study_page",
    "training_page",
    "unit_page",
]
