"""``heldout posterior``: the posterior around trained networks, and the learning coefficient along a training."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from heldout.faces.cli import audit_options as o

Checkpoints = Annotated[
    str | None,
    Option(
        "--checkpoints",
        metavar="DIR",
        help="In place of --weights: every checkpoint of a folder, in the order of their names.",
    ),
]
Chains = Annotated[int, Option("--chains", metavar="NUMBER", help="Of every network.")]
Draws = Annotated[int, Option("--draws", metavar="NUMBER", help="Of a chain; fewer or more as the precision asks.")]
Only = Annotated[
    str, Option("--only", metavar="LAYER", help="Sample the parameters whose names begin so; all if not said.")
]
At = Annotated[str, Option("--at", metavar="WORD", help="The centre: trained (default) or initial.")]
Beta = Annotated[float | None, Option("--beta", metavar="NUMBER", help="Inverse temperature; 1 / ln n if not said.")]
Localisation = Annotated[
    float | None, Option("--localisation", metavar="NUMBER", help="Precision of the Gaussian about the centre.")
]
Ladder = Annotated[
    int, Option("--ladder", metavar="NUMBER", help="Temperatures for the free energy; none if not said.")
]
SamplerName = Annotated[
    str, Option("--sampler", metavar="NAME", help="auto (default), hmc, mala, sgld, rmsprop-sgld or sgnht.")
]
Batch = Annotated[int | None, Option("--batch", metavar="NUMBER", help="Examples a step of the stochastic samplers.")]
Budget = Annotated[float, Option("--budget", metavar="NUMBER", help="Gradients over all examples a chain may cost.")]
Precision = Annotated[float, Option("--precision", metavar="SHARE", help="Standard error at which sampling ends.")]
Report = Annotated[str | None, Option("--report", metavar="FILE", help="Write the page, one HTML file.")]
Kept = Annotated[
    str | None,
    Option(
        "--store",
        metavar="DIR",
        help="Keep the record here, and chains under way: killed and run again, the same command goes on from there.",
    ),
]
LEVELS = 8  # of the weight of hypotheses that a terminal shows
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


def posterior_command(
    network: o.Network = None,
    network_args: o.NetworkArgs = None,
    weights: o.Weights = None,
    checkpoints: Checkpoints = None,
    initial: o.Initial = None,
    train: o.Train = None,
    test: o.Test = None,
    label: o.Label = None,
    loss: o.LossName = None,
    seed: o.Seed = "0",
    chains: Chains = 8,
    draws: Draws = 400,
    only: Only = "",
    at: At = "trained",
    beta: Beta = None,
    localisation: Localisation = None,
    ladder: Ladder = 0,
    sampler: SamplerName = "auto",
    batch: Batch = None,
    budget: Budget = 50_000.0,
    precision: Precision = 0.03,
    device: o.Device = None,
    memory: o.Memory = None,
    report: Report = None,
    json: o.Json = None,
    store: Kept = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Sample the posterior around trained networks: learning coefficient, WAIC, WBIC and their kin, or why there is none."""

    def job() -> None:
        from heldout.faces.cli.audit import clean_output
        from heldout.faces.cli.inputs import Request, assemble, check_settings
        from heldout.faces.cli.outputs import check_outputs, keep_result, write_outputs
        from heldout.faces.cli.progress import progress_bar
        from heldout.faces.report import write_posterior_report
        from heldout.records import Refusal
        from heldout.verbs.sample_posterior import sample_posterior

        if network is None:
            raise Refusal(
                given="--network was not given", expected="MODULE:FACTORY", do="pass --network, --weights and --train"
            )
        paths = named_weights(weights or [], checkpoints)
        request = Request(
            network, network_args, paths, tuple(initial or ()), train, test, label, loss, None, (), device, memory, False, None,
            seed, "0.05",
        )  # fmt: skip
        settings = check_settings(request)
        check_outputs(report or "", json or "", store or "")
        with clean_output(json or ""):
            subject = assemble(request, settings)
            with progress_bar(quiet, "", doing="sampling") as tell:
                found = sample_posterior(
                    subject, chains=chains, draws=draws, at=at, only=only, beta=beta, localisation=localisation, ladder=ladder,
                    sampler=sampler, batch=batch, budget=budget, precision=precision, seed=settings.seed, progress=tell,
                    store=store or "",
                )  # fmt: skip
        record = {**found.to_dict(), "labels": [Path(path).name for path in paths]}
        silent = quiet or json == "-"
        try:
            if not silent:
                show_posterior(record)
        finally:
            kept = keep_result("posterior", record, store or "")
            write_outputs(record, report or "", json or "", kept, quiet=silent, writer=write_posterior_report)

    return job


def named_weights(weights: list[str], checkpoints: str | None) -> tuple[str, ...]:
    """The checkpoints to sample at.

    Args:
        weights: Paths that were named one by one.
        checkpoints: A folder of them.

    Returns:
        Their paths; numbers in their names are ordered as numbers.

    Raises:
        Refusal: If both were given, or the folder holds none.
    """
    import re

    from heldout.records import Refusal

    if checkpoints is None:
        return tuple(weights)
    place = Path(checkpoints)
    found = [path for path in place.iterdir() if path.suffix in SUFFIXES] if place.is_dir() else []
    if weights or not found:
        given = "together with --weights" if weights else "which holds no checkpoint"
        raise Refusal(
            given=f"--checkpoints was '{checkpoints}', {given}",
            expected=f"a folder of files ending in {', '.join(SUFFIXES)}, or --weights",
            do="pass one of the two",
        )
    ordered = sorted(
        found, key=lambda path: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
    )
    return tuple(map(str, ordered))


def show_posterior(record: Mapping[str, Any]) -> None:
    """Print a posterior.

    Args:
        record: What ``Posterior.to_dict`` gave.
    """
    from heldout.faces.cli.tables import print_table
    from heldout.faces.numbers import interval, number

    several = len(record["labels"]) > 1
    rows = [
        [
            row["name"],
            *([record["labels"][row["member"]]] if several else []),
            number(row["value"]),
            interval(row),
            "" if row["status"] == "ok" else row["reason"],
        ]
        for row in record["readings"]
    ]
    columns = ("reading", *(("network",) if several else ()), "value", "interval", "why not")
    print_table(columns, rows)
    for row in record["diagnostics"]:
        said = "converged" if row["converged"] else f"not converged: {row['reason']}"
        named = f"{record['labels'][row['member']]}: " if several else ""
        print(
            f"{named}{said}; {row['sampler']}, {row['chains']} chains x {row['draws']} draws, "
            f"split R-hat {number(row.get('r_hat_loss'))}, virial {number(row.get('virial'))}, "
            f"localisation {number(row['localisation'])}, {row['sweeps']:.0f} sweeps a chain"
        )
    show_beyond(record, several)


def show_beyond(record: Mapping[str, Any], several: bool) -> None:
    """Print what a posterior says beyond readings: the weight of hypotheses, swaps of solutions, and what is absent and why.

    Args:
        record: What ``Posterior.to_dict`` gave.
        several: Whether rows must name their network.
    """
    from heldout.faces.cli.tables import print_table
    from heldout.faces.numbers import number

    labels = record["labels"]
    weights = []
    for member in sorted({row["member"] for row in record["hypothesis_weight"]}):
        own = [row for row in record["hypothesis_weight"] if row["member"] == member]
        few = [own[place * (len(own) - 1) // (LEVELS - 1)] for place in range(LEVELS)]
        weights += [
            [
                number(row["level"]),
                *([labels[member]] if several else []),
                number(row["bits"]),
                f"± {number(row['bits_error'])}",
                number(row["chernoff_bits"]),
            ]
            for row in few
        ]
    if weights:
        named = ("network",) if several else ()
        print_table(
            ("excess loss, at most", *named, "bits", "error", "at least"), weights, title="weight of hypotheses"
        )
    for swap in record["selection"]["swaps"]:
        print(
            f"from {number(swap['size'])} examples on ({number(swap['low'])} to {number(swap['high'])}) the posterior prefers "
            f"{labels[swap['complex']]} to {labels[swap['simple']]}"
        )
    for row in record["absent"]:
        of = "" if row["member"] is None or not several else f" of {labels[row['member']]}"
        print(f"no {', '.join(row['tables']).replace('_', ' ')}{of}: {row['reason']}")
