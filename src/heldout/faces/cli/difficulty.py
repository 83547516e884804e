"""``heldout difficulty``: how much inductive bias a test error asks for, in three spaces of hypotheses."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from typer import Option

from heldout.faces.cli import audit_options as o

Target = Annotated[
    float | None, Option("--target", metavar="NUMBER", help="The mean squared test error that is asked for.")
]
Fits = Annotated[
    float | None,
    Option(
        "--fits",
        metavar="NUMBER",
        help="Largest training error of a network that fits: a share of examples, of a regression the mean loss; 0 for classes.",
    ),
]


def difficulty_command(
    network: o.Network = None,
    network_args: o.NetworkArgs = None,
    weights: o.Weights = None,
    train: o.Train = None,
    test: o.Test = None,
    label: o.Label = None,
    loss: o.LossName = None,
    target: Target = None,
    fits: Fits = None,
    seed: o.Seed = "0",
    device: o.Device = None,
    memory: o.Memory = None,
    json: o.Json = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """How much inductive bias a test error asks for, among networks, functions of a kernel and band-limited functions that fit.

    Pass --weights several times: networks trained on the same data from different random initial weights are the sample.
    """

    def job() -> None:
        from heldout.faces.cli.audit import clean_output
        from heldout.faces.cli.inputs import Request, assemble, check_settings
        from heldout.faces.cli.outputs import check_outputs, write_json
        from heldout.records import Refusal, refuse
        from heldout.verbs.task_difficulty import task_difficulty

        faults = []
        if network is None:
            do = "pass --network, --train, --test and --weights once for every network"
            faults.append(Refusal(given="--network was not given", expected="MODULE:FACTORY", do=do))
        if target is None:
            expected, do = "a positive mean squared error on the test data", "pass --target 0.05"
            faults.append(Refusal(given="--target was not given", expected=expected, do=do))
        refuse(faults)
        assert target is not None  # refused
        request = Request(
            network, network_args, tuple(weights or ()), (), train, test, label, loss, None, (), device, memory, False, None, seed,
            "0.05",
        )  # fmt: skip
        settings = check_settings(request)
        check_outputs("", json or "", "")
        with clean_output(json or ""):
            found = task_difficulty(assemble(request, settings), target=target, fits=fits, seed=settings.seed)
        record = found.to_dict()
        if json:
            write_json(record, json)
        if not quiet and json != "-":
            show_difficulty(record)

    return job


def show_difficulty(record: Mapping[str, Any]) -> None:
    """Print how difficult a task is.

    Args:
        record: What ``TaskDifficulty.to_dict`` gave.
    """
    from heldout.faces.cli.tables import print_table
    from heldout.faces.numbers import number

    rows = [
        [
            row["space"],
            number(row["nats"]),
            number(row["bits"]),
            "" if row["standard_error"] is None else f"± {number(row['standard_error'])} nats",
            row["reason"],
        ]
        for row in record["rows"]
    ]
    print_table(("among", "nats", "bits", "error", "note"), rows)
    print(
        f"{len(record['test_errors'])} of {record['networks']} networks fit; a sample of so many sees {number(record['seen'])} nats, "
        f"{number(record['extrapolated'])} lie beyond. A test error of {number(record['target'])} was asked for."
    )
