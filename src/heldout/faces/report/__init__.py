"""The report: one HTML file that carries everything it needs and asks no host for anything.

It reads the record and computes nothing but sums for display. Text from users is escaped by the template; specifications and
script are made safe for the places they stand in.
"""

from heldout.faces.report.certificates import render_certificates, write_certificates_report
from heldout.faces.report.judgement import render_judgement, write_judgement_report
from heldout.faces.report.posterior import render_posterior, write_posterior_report
from heldout.faces.report.rendering import fragment, render, write_report
from heldout.faces.report.study import render_study, write_study_report
from heldout.faces.report.watch import render_watch, write_watch_report

__all__ = [
    "fragment",
    "render",
    "render_certificates",
    "render_judgement",
    "render_posterior",
    "render_study",
    "render_watch",
    "write_certificates_report",
    "write_judgement_report",
    "write_posterior_report",
    "write_report",
    "write_study_report",
    "write_watch_report",
]
