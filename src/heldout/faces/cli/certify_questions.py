"""The questions of ``heldout certify`` that need no network: does it hold, how many, and is a printed bound right."""


def run_simulation(family: str, problems: int, seed: str, delta: str, json_path: str) -> None:
    """Print violations against delta for every bound of a family.

    Args:
        family: Its name.
        problems: How many are drawn.
        seed: Of the draws, in words.
        delta: Promised failure probability, in words.
        json_path: Path or ``-``; empty for none.
    """
    import typer

    from heldout.faces.cli.options import delta_of, seed_of
    from heldout.faces.cli.outputs import check_outputs, write_json
    from heldout.faces.cli.tables import print_table
    from heldout.verbs.simulate import simulate_family

    check_outputs("", json_path, "")
    found = simulate_family(family, problems=problems, delta=delta_of(delta), seed=seed_of(seed))
    if json_path:
        write_json({"family": family, "delta": delta_of(delta), "simulations": found}, json_path)
    if json_path != "-":
        columns = ("bound", "problem", "problems", "violations", "rate", "low", "high", "delta", "verdict")
        print_table(
            columns, [[f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c]) for c in columns] for row in found]
        )
        typer.echo("The interval is exact, 95 %. A valid bound's rate is at most delta.")


def say_how_many(target: str, observed: str, examples: int, delta: str, json_path: str) -> None:
    """Print what a target needs.

    Args:
        target: Risk that shall be certified, in words.
        observed: Risk that is expected to be seen, in words.
        examples: Training examples at hand.
        delta: Failure probability, in words.
        json_path: Path or ``-``; empty for none.
    """
    from heldout.faces.cli.options import delta_of, share_of
    from heldout.faces.cli.outputs import check_outputs, write_json
    from heldout.faces.cli.tables import print_table
    from heldout.verbs.how_many import how_many

    check_outputs("", json_path, "")
    rows = how_many(
        share_of(target, "--target"), observed=share_of(observed, "--observed"), examples=examples, delta=delta_of(delta)
    )  # fmt: skip
    if json_path:
        write_json(
            {"target": float(target), "observed": float(observed), "examples": examples, "rows": rows}, json_path
        )
    if json_path != "-":
        columns = ("family", "question", "answer", "unit", "source")
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])


def say_recheck(
    claimed: float, observed: str, examples: int, nats: float, bits: float, draws: int, delta: str, json_path: str
) -> None:
    """Print what a printed bound's numbers give.

    Args:
        claimed: The printed bound.
        observed: Empirical risk, in words.
        examples: n of the bound.
        nats: Divergence.
        bits: Code length.
        draws: Draws of the posterior; 0 where the risk is exact.
        delta: Failure probability, in words.
        json_path: Path or ``-``; empty for none.
    """
    import typer

    from heldout.faces.cli.options import delta_of, share_of
    from heldout.faces.cli.outputs import check_outputs, write_json
    from heldout.verbs.recheck import recheck

    check_outputs("", json_path, "")
    found = recheck(
        claimed, observed=share_of(observed, "--observed"), examples=examples, nats=nats, bits=bits, draws=draws,
        delta=delta_of(delta),
    )  # fmt: skip
    if json_path:
        write_json(found.row(), json_path)
    if json_path != "-":
        typer.echo(f"{found.verdict}: {found.reason}")
