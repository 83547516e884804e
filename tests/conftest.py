"""What holds for every test: shapes are checked at run time, one thread, and no test is skipped in silence."""

from typing import Any

import jaxtyping
import pytest
import tests.runtime_types  # the hook finds the checker by its name, in a module that is already there

#: Packages whose annotations are checked while tests run. The engine stays out: what it compiles would raise false errors.
CHECKED = (
    "measures",
    "representation",
    "bounds",
    "criteria",
    "figures",
    "datasets",
    "networks",
    "posterior",
    "records",
)
CHECKER = f"{tests.runtime_types.__name__}.checked"
jaxtyping.install_import_hook([f"heldout.{room}" for room in CHECKED], CHECKER)

import hypothesis  # noqa: E402
import torch  # noqa: E402

# Tiny kernels lose more to threads than they gain, and sums in another order would be other bits.
torch.set_num_threads(1)
# The same examples on every machine; time is not a property of the code.
hypothesis.settings.register_profile("heldout", derandomize=True, deadline=None, database=None, max_examples=20)
hypothesis.settings.load_profile("heldout")

#: Reasons for which a test may be skipped; any other skip fails the run.
ALLOWED_SKIPS = ("no CUDA device", "Chromium is not installed", "Ray is an extra")
_unlisted: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a skipped test whose reason is not on the list."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a whole file that was skipped."""
    if report.skipped:
        _note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with skips that nobody allowed."""
    if _unlisted and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which skips those were."""
    for line in dict.fromkeys(_unlisted):
        terminalreporter.write_line(f"SKIP NOT ALLOWED {line} (see ALLOWED_SKIPS in tests/conftest.py)", red=True)


@pytest.fixture(autouse=True)
def _default_precision() -> Any:
    """A test that makes float64 the default would change all that follow it."""
    yield
    assert torch.get_default_dtype() == torch.float32, "this test left another default dtype behind"


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ALLOWED_SKIPS):
        _unlisted.append(f"{report.nodeid}: {reason}")
