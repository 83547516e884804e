"""``heldout certify``: every family of bounds on one network."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from typer import Option

from heldout.faces.cli import audit_options as o
from heldout.faces.cli.certify_questions import run_simulation, say_how_many, say_recheck

if TYPE_CHECKING:
    from heldout.faces.cli.inputs import Request
    from heldout.verbs.certified import Certificates

HeldOut = Annotated[
    str | None,
    Option("--heldout", "--test", metavar="DATA", help="Examples that nobody has looked at; their labels are used."),
]
Pool = Annotated[
    int | None,
    Option(
        "--pool",
        metavar="NUMBER",
        help="Size of the finite pool that --heldout is a random part of; not for independent draws.",
    ),
]
Privacy = Annotated[
    float | None,
    Option("--privacy", metavar="EPSILON", help="Epsilon, if the networks were trained with differential privacy."),
]
Families = Annotated[
    list[str] | None,
    Option(
        "--families", metavar="NAME", help="A family of bounds, such as held-out; may be repeated; all if not said."
    ),
]
Report = Annotated[
    str | None,
    Option(
        "--report", metavar="FILE", help="The page, one HTML file; heldout-certificates.html if no output is named."
    ),
]
Delta = Annotated[str, Option("--delta", metavar="NUMBER", help="Failure probability of each certificate on its own.")]
Simulate = Annotated[
    str | None,
    Option("--simulate", metavar="FAMILY", help="Draw problems of known risk and count how often its bounds fail."),
]
Problems = Annotated[int, Option("--problems", metavar="NUMBER", help="With --simulate: how many problems.")]
HowMany = Annotated[
    bool, Option("--how-many", help="Say what a target needs: examples, bits, nats or draws, family by family.")
]
Target = Annotated[str, Option("--target", metavar="RISK", help="With --how-many: what shall be certified.")]
Observed = Annotated[
    str, Option("--observed", metavar="RISK", help="With --how-many or --recheck: the risk on the bound's examples.")
]
Examples = Annotated[
    int, Option("--examples", metavar="NUMBER", help="With --how-many or --recheck: training examples.")
]
Claimed = Annotated[
    float | None,
    Option(
        "--recheck",
        metavar="RISK",
        help="A printed bound: compute it again from --observed, --examples and --nats or --bits.",
    ),
]
Nats = Annotated[float, Option("--nats", metavar="NUMBER", help="With --recheck: divergence of a PAC-Bayes bound.")]
Bits = Annotated[float, Option("--bits", metavar="NUMBER", help="With --recheck: length of a prefix-free code.")]
Draws = Annotated[
    int, Option("--draws", metavar="NUMBER", help="With --recheck: draws that the observed risk is a mean of.")
]
Example = Annotated[
    str,
    Option(
        "--example",
        metavar="NAME",
        help="Without --network: digits (default), one-dimensional-digits or random-labels.",
    ),
]
Corpus = Annotated[
    str | None,
    Option(
        "--corpus",
        metavar="FILE",
        help="Text, an empty line between documents: a small language model of it is trained and certified.",
    ),
]
DEFAULT_REPORT = "heldout-certificates.html"


def certify_command(
    network: o.Network = None,
    network_args: o.NetworkArgs = None,
    weights: o.Weights = None,
    initial: o.Initial = None,
    train: o.Train = None,
    test: HeldOut = None,
    label: o.Label = None,
    loss: o.LossName = None,
    loss_range: o.LossRange = None,
    seed: o.Seed = "0",
    delta: Delta = "0.05",
    families: Families = None,
    device: o.Device = None,
    memory: o.Memory = None,
    report: Report = None,
    json: o.Json = None,
    store: o.ResultStore = None,
    selected_on_test: o.SelectedOnTest = False,
    duplicates: o.Duplicates = None,
    pool: Pool = None,
    privacy: Privacy = None,
    quiet: o.Quiet = False,
    example: Example = "",
    corpus: Corpus = None,
    simulate: Simulate = None,
    problems: Problems = 2000,
    how_many: HowMany = False,
    target: Target = "0.1",
    observed: Observed = "0.02",
    examples: Examples = 60000,
    claimed: Claimed = None,
    nats: Nats = 0.0,
    bits: Bits = 0.0,
    draws: Draws = 0,
) -> Callable[[], None]:
    """Certify what a network will do on unseen data, by every family of bounds; without --network, a small example."""

    def job() -> None:
        from heldout.faces.cli.inputs import Request

        if simulate is not None:
            run_simulation(simulate, problems, seed, delta, json or "")
        elif how_many:
            say_how_many(target, observed, examples, delta, json or "")
        elif claimed is not None:
            say_recheck(claimed, observed, examples, nats, bits, draws, delta, json or "")
        else:
            request = Request(
                network, network_args, tuple(weights or ()), tuple(initial or ()), train, test, label, loss, loss_range,
                (), device, memory, selected_on_test, duplicates, seed, delta, pool, privacy,
            )  # fmt: skip
            page = DEFAULT_REPORT if report is None and json is None and store is None else report or ""
            run_certify(
                request, tuple(families or ("all",)), page, json or "", example=example, corpus=corpus, quiet=quiet,
                store=store or "",
            )  # fmt: skip

    return job


def run_certify(
    request: "Request",
    families: tuple[str, ...],
    report: str,
    json_path: str,
    *,
    example: str,
    corpus: str | None,
    quiet: bool,
    store: str = "",
) -> None:
    """Certify, show, write.

    Args:
        request: What is certified and how.
        families: Their names, or ``("all",)``.
        report: Path; empty for none.
        json_path: Path or ``-``; empty for none.
        example: Which one, where there is no network.
        corpus: A text file in its place.
        quiet: No bar and no table.
        store: Directory or URL; empty for none.
    """
    from heldout.faces.certificates_terminal import show_certificates
    from heldout.faces.cli.audit import clean_output
    from heldout.faces.cli.inputs import assemble, check_example, check_settings
    from heldout.faces.cli.outputs import check_outputs, keep_result, write_outputs
    from heldout.faces.cli.progress import progress_bar
    from heldout.faces.report import write_certificates_report
    from heldout.verbs.certified_corpus import RECIPE, certified_corpus
    from heldout.verbs.certified_example import certified_example, check_name
    from heldout.verbs.certify import certify, families_named

    families_named(families)
    own = request.network is None
    check_name(example, own)
    settings = check_example(request) if own else check_settings(request)
    text = corpus_text(corpus, own and not example) if corpus is not None else ""
    check_outputs(report, json_path, store)
    with clean_output(json_path):
        if corpus is not None:
            subject = certified_corpus(text, seed=settings.seed, duplicates="allow")
        else:
            subject = certified_example(example or "digits", seed=settings.seed) if own else assemble(request, settings)
        with progress_bar(quiet, "", doing="certifying") as tell:
            result: Certificates = certify(
                subject, delta=settings.delta, families=families, seed=settings.seed, progress=tell,
                recipe=RECIPE if corpus is not None else None,
            )  # fmt: skip
    record, silent = result.to_dict(), quiet or json_path == "-"
    try:
        if not silent:
            show_certificates(record)
    finally:
        kept = keep_result("certification", record, store)
        write_outputs(record, report, json_path, kept, quiet=silent, writer=write_certificates_report)


def corpus_text(corpus: str, alone: bool) -> str:
    """Read a corpus.

    Args:
        corpus: Path of a text file.
        alone: Whether neither a network nor an example was named.

    Returns:
        Its text.

    Raises:
        Refusal: If it cannot be read, or is not alone.
    """
    from pathlib import Path

    from heldout.records import Refusal

    if not alone:
        raise Refusal(
            given=f"--corpus '{corpus}' beside --network or --example",
            expected="one of the three",
            do="leave the others out",
        )
    try:
        return Path(corpus).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no UTF-8 text"
        raise Refusal(
            given=f"--corpus '{corpus}' cannot be read ({reason})", expected="a text file in UTF-8", do="check the path"
        ) from error
