"""``heldout predict``: accuracy on unseen data and gap from training data alone."""

from collections.abc import Callable
from typing import Annotated, Any

from typer import Option

from heldout.faces.cli import audit_options as o

Ledgers = Annotated[
    list[str] | None,
    Option(
        "--ledger",
        metavar="TABLE",
        help="Networks of your own with readings and risk, as 'heldout judge --population' writes; may be repeated.",
    ),
]
Level = Annotated[str, Option("--level", metavar="NUMBER", help="Share of intervals that hold the truth.")]


def predict_command(
    network: o.Network = None,
    network_args: o.NetworkArgs = None,
    weights: o.Weights = None,
    initial: o.Initial = None,
    train: o.Train = None,
    label: o.Label = None,
    ledgers: Ledgers = None,
    level: Level = "0.9",
    seed: o.Seed = "0",
    device: o.Device = None,
    memory: o.Memory = None,
    json: o.Json = None,
    store: o.ResultStore = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Predict accuracy on unseen data and gap from training data alone, with an interval, or abstain and say why."""

    def job() -> None:
        from heldout._version import __version__
        from heldout.faces.cli.audit import clean_output
        from heldout.faces.cli.inputs import Request, assemble, check_settings
        from heldout.faces.cli.options import share_of
        from heldout.faces.cli.outputs import check_outputs, keep_result, write_json
        from heldout.faces.cli.progress import progress_bar
        from heldout.records import Refusal
        from heldout.verbs.predict import predict

        if network is None:
            raise Refusal(
                given="--network was not given",
                expected="MODULE:FACTORY with --weights and --train",
                do="name the trained network",
            )
        request = Request(
            network, network_args, tuple(weights or ()), tuple(initial or ()), train, None, label, None, None, (), device,
            memory, False, None, seed, "0.05",
        )  # fmt: skip
        settings, share = check_settings(request), share_of(level, "--level")
        check_outputs("", json or "", store or "")
        with clean_output(json or ""):
            subject = assemble(request, settings)
            with progress_bar(quiet, "", doing="predicting") as tell:
                found = predict(subject, ledgers=ledgers or (), level=share, seed=settings.seed, progress=tell)
        record = {**found.to_dict(), "heldout": __version__, "subject": subject.summary()}
        kept = keep_result("prediction", record, store or "")
        if json:
            write_json(record, json)
        if not quiet and json != "-":
            show_prediction(record)
            print(*kept, sep="\n", end="\n" if kept else "")

    return job


def show_prediction(record: dict[str, Any]) -> None:
    """Print a prediction.

    Args:
        record: Of a prediction.
    """
    import typer

    from heldout.faces.cli.tables import print_table

    rows = [
        (
            str(row["member"]),
            row["target"],
            "-" if row["value"] is None else f"{row['value']:.3f}",
            "-" if row["value"] is None else f"{row['low']:.3f} to {row['high']:.3f}",
            row["status"],
        )
        for row in record["rows"]
    ]
    print_table(("network", "on unseen data", "expected", f"{100 * record['level']:g} % interval", "status"), rows)
    for reason in dict.fromkeys(row["reason"] for row in record["rows"] if row["reason"]):
        typer.echo(f"abstains: {reason}" if record["measures"] or record["statement"] == "" else reason)
    if record["measures"]:
        known = " and ".join(f"{count} of {name}" for name, count in record["calibrated_on"].items())
        typer.echo(f"{record['statement']} Calibrated on {known} networks, {len(record['measures'])} readings.")
