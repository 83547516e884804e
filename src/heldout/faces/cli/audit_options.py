"""The options of ``heldout audit``, each with the words of its help."""

from typing import Annotated

from typer import Option

DEFAULT_REPORT = "heldout-report.html"

Network = Annotated[
    str | None,
    Option(
        "--network", metavar="MODULE:FACTORY", help="Makes the network; without it the built-in example is audited."
    ),
]
NetworkArgs = Annotated[
    str | None, Option("--network-args", metavar="JSON", help="Arguments of the factory, a JSON object.")
]
Weights = Annotated[
    list[str] | None,
    Option("--weights", metavar="FILE", help="Trained checkpoint, .safetensors or .pt; several make a population."),
]
Initial = Annotated[
    list[str] | None,
    Option("--initial", metavar="FILE", help="Checkpoint before training, one for each --weights."),
]
Train = Annotated[
    str | None,
    Option(
        "--train",
        metavar="DATA",
        help="Training data: .npz, .parquet, .csv, MNIST's or CIFAR's files, a folder, or module:function.",
    ),
]
Test = Annotated[str | None, Option("--test", metavar="DATA", help="Data the network has not seen.")]
Label = Annotated[
    str | None,
    Option("--label", metavar="COLUMN", help="Label column of a table; label, y or labels if not said."),
]
LossName = Annotated[
    str | None,
    Option("--loss", metavar="NAME", help="cross-entropy (default), binary-cross-entropy or squared-error."),
]
LossRange = Annotated[
    str | None, Option("--loss-range", metavar="LOW,HIGH", help="Range of the loss, for certificates of a regression.")
]
Seed = Annotated[str, Option("--seed", metavar="NUMBER", help="Every random stream derives from it.")]
Delta = Annotated[str, Option("--delta", metavar="NUMBER", help="Failure probability of each certificate.")]
Only = Annotated[list[str] | None, Option("--only", metavar="NAME", help="Compute this reading only; may be repeated.")]
Thorough = Annotated[
    bool,
    Option("--thorough", help="Also what is dear: second derivatives, worst cases, trained subspaces."),
]
Device = Annotated[str | None, Option("--device", metavar="DEVICE", help="cpu (default), cuda or cuda:INDEX.")]
Memory = Annotated[
    str | None,
    Option("--memory", metavar="AMOUNT", help="What the activations of one chunk may take, such as 256MiB."),
]
Report = Annotated[
    str | None,
    Option("--report", metavar="FILE", help=f"The report, one HTML file; {DEFAULT_REPORT} if no output is named."),
]
Json = Annotated[str | None, Option("--json", metavar="FILE", help="The record; - for standard output.")]
StorePlace = Annotated[
    str | None,
    Option("--store", metavar="DIR", help="Keep the record here; a stopped audit of your network goes on from here."),
]
ResultStore = Annotated[
    str | None, Option("--store", metavar="DIR", help="Keep the record here, for 'heldout runs' and 'heldout serve'.")
]
History = Annotated[
    str | None,
    Option(
        "--history",
        metavar="FILE",
        help="How training went, .csv or .parquet: columns step, train-loss; member, epoch, gradient-noise if known.",
    ),
]
SelectedOnTest = Annotated[
    bool, Option("--selected-on-test", help="Say that the test data took part in choosing the network.")
]
Duplicates = Annotated[
    str | None,
    Option(
        "--duplicates", metavar="WORD", help="Test examples that are in the training data: refuse (default) or allow."
    ),
]
Plan = Annotated[bool, Option("--plan", help="Say what would be computed and what it would cost; compute nothing.")]
Quiet = Annotated[bool, Option("--quiet", help="No bar and no table.")]
