"""``heldout audit``: the main job."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from heldout.faces.cli import audit_options as o

if TYPE_CHECKING:
    from heldout.faces.cli.inputs import Request, Settings
    from heldout.verbs.record import Audit


def audit_command(
    network: o.Network = None,
    network_args: o.NetworkArgs = None,
    weights: o.Weights = None,
    initial: o.Initial = None,
    train: o.Train = None,
    test: o.Test = None,
    label: o.Label = None,
    loss: o.LossName = None,
    loss_range: o.LossRange = None,
    history: o.History = None,
    seed: o.Seed = "0",
    delta: o.Delta = "0.05",
    only: o.Only = None,
    thorough: o.Thorough = False,
    device: o.Device = None,
    memory: o.Memory = None,
    report: o.Report = None,
    json: o.Json = None,
    store: o.StorePlace = None,
    selected_on_test: o.SelectedOnTest = False,
    duplicates: o.Duplicates = None,
    plan: o.Plan = False,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Measure, certify and explain a trained network; without --network, the built-in example."""

    def job() -> None:
        from heldout.faces.cli.inputs import Request

        request = Request(
            network, network_args, tuple(weights or ()), tuple(initial or ()), train, test, label, loss, loss_range,
            tuple(only or ()), device, memory, selected_on_test, duplicates, seed, delta,
            thorough=thorough, history=history,
        )  # fmt: skip
        if plan:
            print_plan(request, json or "", report or "", store or "")
        else:
            nowhere = report is None and json is None and store is None
            run_audit(request, o.DEFAULT_REPORT if nowhere else report or "", json or "", store or "", quiet=quiet)

    return job


def run_audit(request: "Request", report: str, json_path: str, store: str, *, quiet: bool) -> None:
    """Audit, show, write.

    Args:
        request: What is audited and how.
        report: Path; empty for none.
        json_path: Path or ``-``; empty for none.
        store: Directory or URL; empty for none.
        quiet: No bar and no table.
    """
    from heldout.faces.cli.inputs import assemble, check_example, check_settings
    from heldout.faces.cli.outputs import check_outputs, write_outputs
    from heldout.faces.cli.progress import progress_bar

    settings = check_example(request) if request.network is None else check_settings(request)
    check_outputs(report, json_path, store)
    with clean_output(json_path):
        if request.network is None:
            with progress_bar(quiet, "training eight small networks") as tell:
                result = _example(settings, store, tell)
        else:
            from heldout.verbs.audit import audit

            subject = assemble(request, settings)
            with progress_bar(quiet, "") as tell:
                result = audit(
                    subject, seed=settings.seed, delta=settings.delta, only=request.only, thorough=request.thorough,
                    progress=tell, store=store,
                )  # fmt: skip
    record, silent = result.to_dict(), quiet or json_path == "-"
    try:
        if not silent:
            from heldout.faces.terminal import show

            show(record)
    finally:  # hours of work are written whatever happens to the terminal
        write_outputs(record, report, json_path, [f"run: {result.run}"] if result.run else [], quiet=silent)


def print_plan(request: "Request", json_path: str, report: str, store: str) -> None:
    """Say what an audit would do.

    Args:
        request: What would be audited and how.
        json_path: Path or ``-`` for the plan as JSON; empty for none.
        report: A plan has none; its place is checked all the same.
        store: Likewise.

    Raises:
        Refusal: If there is no network to plan for.
    """
    from heldout.faces.cli.inputs import assemble, check_settings
    from heldout.faces.cli.outputs import check_outputs, write_json
    from heldout.faces.cli.planning import plan_record, show_plan
    from heldout.records import Refusal

    if request.network is None:
        raise Refusal(
            given="--plan was given without --network",
            expected="the network, weights and data of the audit to plan",
            do="add them; the built-in example takes about a minute and needs no plan",
        )
    settings = check_settings(request)
    check_outputs(report, json_path, store)
    with clean_output(json_path):
        record = plan_record(assemble(request, settings), request.only, thorough=request.thorough)
    if json_path:
        write_json(record, json_path)
    if json_path != "-":
        show_plan(record)


def clean_output(json_path: str) -> contextlib.AbstractContextManager[object]:
    """Where the record goes to standard output, what a stranger's code prints must not get into it."""
    return contextlib.redirect_stdout(sys.stderr) if json_path == "-" else contextlib.nullcontext()


def _example(settings: "Settings", store: str, tell: Callable[[str, float], None]) -> "Audit":
    from heldout.verbs.example import example_audit

    result = example_audit(seed=settings.seed, delta=settings.delta, progress=tell)
    return replace(result, run=result.save(store)) if store else result
