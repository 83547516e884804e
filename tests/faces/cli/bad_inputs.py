"""The table of bad inputs: what is given, and words that the one sentence must hold."""

# ruff: noqa: E501 -- a table: one bad input a line

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from tests.faces.cli.world import Bomb, Maker, X, Y, arrays, cut, pictures, pipe, saved, state, tensors, text

NAN = float("nan")
SPOILT = X.copy()
SPOILT[3, 1] = np.inf
ONE_LAYER = torch.nn.ModuleDict({"layer": torch.nn.Linear(3, 2)}).state_dict()


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad input.

    Attributes:
        name: For the test's name.
        says: Words that must stand in the sentence, in this order.
        changes: To a good ``heldout audit``; ignored where ``words`` are given.
        words: The whole command line instead.
        subprocess: Also run as a program of its own.
    """

    name: str
    says: tuple[str, ...]
    changes: Mapping[str, str | Maker | list[str | Maker] | None] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    subprocess: bool = False


def bad(name: str, *says: str, subprocess: bool = False, **changes: str | Maker | list[str | Maker] | None) -> Bad:
    """A bad audit; ``loss_range`` stands for ``--loss-range``."""
    return Bad(name, says, {f"--{key.replace('_', '-')}": value for key, value in changes.items()}, (), subprocess)


def line(name: str, words: str, *says: str, subprocess: bool = False) -> Bad:
    """A bad command line."""
    return Bad(name, says, {}, tuple(words.split(" ")), subprocess)


WEIGHTS = [
    bad("malicious pickle", "weights 'bad.pt'", "posix.system", "could run code", "tensors", weights=saved(Bomb()), subprocess=True),
    bad("malicious initial", "initial 'bad.pt'", "could run code", initial=saved({"state_dict": Bomb()})),
    bad("whole network in a pickle", "could run code", "state_dict()", weights=saved(torch.nn.Linear(3, 2))),
    bad("nan weights", "network has 1 NaN or infinite values in '2.bias'", weights=tensors(**{"2__bias": torch.tensor([NAN, 0])})),
    bad("infinite initial", "initial has 2 NaN", initial=tensors(**{"2__bias": torch.tensor([NAN, NAN])})),
    bad("missing weights file", "weights was 'gone.safetensors'", "not there", weights="gone.safetensors", subprocess=True),
    bad("folder for weights", "weights was 'out', a folder", weights="out"),
    bad("weights of unknown kind", "weights was 'train.npz'", ".safetensors", weights="train.npz"),
    bad("truncated safetensors", "weights 'cut.safetensors' cannot be read", weights=cut("w.safetensors")),
    bad("empty safetensors", "cannot be read", weights=text("e.safetensors", "")),
    bad("safetensors without tensors", "holds nothing", "state dict", weights=tensors(**dict.fromkeys(("0__weight", "0__bias", "2__weight", "2__bias")))),
    bad("text as pickle", "cannot be read", weights=text("w.pt", "hello")),
    bad("pickle of a list", "holds a list", weights=saved([1, 2])),
    bad("pickle with a number in it", "'epoch' is no tensor", weights=saved({**state(), "epoch": 3})),
    bad("weights of a wider network", "another architecture", "'0.weight' is [9, 3] and not [5, 3]", weights=saved(state(width=9))),
    bad("missing tensor", "it lacks '2.bias'", weights=tensors(**{"2__bias": None})),
    bad("unexpected tensor", "it has 'extra'", weights=tensors(extra=torch.zeros(1))),
    bad("initial equal to weights", "initial has the same weights as network", "deepcopy", initial="w.safetensors"),
    bad("initial of another network", "initial 'bad.pt' is of another architecture", initial=saved(state(outputs=4))),
    bad("two initials for one network", "--initial was given 2 times and --weights 1", initial=["w.safetensors", "init.safetensors"]),
    bad("one initial for two networks", "--initial was given 1 times and --weights 2", weights=["w.safetensors", "init.safetensors"]),
    bad("no weights", "--weights was not given", weights=None),
]  # fmt: skip

NETWORK = [
    bad("no network", "--weights", "--train", "given without --network", network=None),
    bad("no colon", "network was 'world_models'", "package.module:function", network="world_models"),
    bad("unknown module", "the module 'no_such_models', which is not there", network="no_such_models:mlp"),
    bad("module that does not import", "whose import failed (SyntaxError", network=lambda folder: text("torn_models.py", "def (")(folder)[:-3] + ":mlp"),
    bad("module that exits", "whose import failed (SystemExit", network=lambda folder: text("exit_models.py", "raise SystemExit(3)")(folder)[:-3] + ":mlp"),
    bad("unknown factory", "named 'mpl'", "such as mlp", network="world_models:mpl", subprocess=True),
    bad("number for a factory", "a int; expected a function", network="world_models:width"),
    bad("factory raises", "failed when it was called with no arguments (FileNotFoundError: config.yaml)", network="world_models:broken"),
    bad("factory exits", "SystemExit: goodbye", network="world_models:leaves"),
    bad("factory gives a number", "gave a int; expected an nn.Module", network="world_models:number"),
    bad("arguments are no JSON", "--network-args was '{width: 5}', no JSON", network_args="{width: 5}"),
    bad("arguments are a list", "a JSON list; expected a JSON object", network_args="[5]"),
    bad("unknown argument", "called with depth=5 (TypeError", network_args='{"depth": 5}'),
    bad("restless network", "two different answers", network="world_models:Restless", initial=None, weights=saved(ONE_LAYER)),
    bad("outputs are nan", "outputs have NaN", network="world_models:Logarithm", initial=None, weights=saved(ONE_LAYER)),
    bad("forward raises", "failed on train x of shape (4, 3) (not today)", network="world_models:Grumpy", initial=None, weights=saved(ONE_LAYER)),
]  # fmt: skip

DATA = [
    bad("no training data", "--train was not given", train=None),
    bad("missing training data", "train was 'gone.npz', which is not there", train="gone.npz"),
    bad("missing test data", "test was 'gone.csv'", test="gone.csv"),
    bad("data of unknown kind", "train was 'w.safetensors'", ".npz", train="w.safetensors"),
    bad("wrong keys", "train 'bad.npz' has images, y; expected arrays x and y", train=arrays(images=X, y=Y), subprocess=True),
    bad("object array", "Python objects, which could run code", train=arrays(x=np.array([Bomb()], dtype=object), y=Y)),
    bad("truncated npz", "train 'cut.npz' cannot be read", train=cut("train.npz")),
    bad("infinite data", "train x has 1 NaN or infinite values", train=arrays(x=SPOILT, y=Y)),
    bad("nan in test data", "test x has 24 NaN", test=arrays(x=X * [NAN, 1, 1], y=Y)),
    bad("strings for inputs", "train held ndarray", train=arrays(x=np.full((24, 3), "a"), y=Y)),
    bad("lengths differ", "train x has 24 examples and y has 20", train=arrays(x=X, y=Y[:20])),
    bad("empty training data", "train has no examples", train=arrays(x=X[:0], y=Y[:0])),
    bad("empty test data", "test has no examples", test=arrays(x=X[:0], y=Y[:0])),
    bad("wrong input shape", "failed on train x of shape (4, 2)", train=arrays(x=X[:, :2], y=Y)),
    bad("test of another shape", "failed on test x of shape (4, 7)", test=arrays(x=np.zeros((9, 7), np.float32), y=Y[:9])),
    bad("labels too large", "train y has labels from 0 to 3", "2 outputs", train=arrays(x=X, y=Y * 3)),
    bad("negative labels", "test y has labels from -1 to 0", test=arrays(x=X, y=Y - 1)),
    bad("fractional labels", "train y has fractions", train=arrays(x=X, y=Y + 0.5)),
    bad("one-hot labels", "train y has shape (24, 2)", "argmax", train=arrays(x=X, y=np.eye(2)[Y])),
    bad("one label", "train y was a single number", train=arrays(x=X, y=3)),
    bad("words in train, numbers in test", "test y has numbers where the training data have words", train=arrays(x=X, y=np.where(Y > 0, "a", "b"))),
    bad("csv without label column", "no label column among a, b", "--label", train=text("t.csv", "a,b\n1,2\n")),
    bad("named label is absent", "no column 'target' among a, y", label="target", train=text("t.csv", "a,y\n1,0\n")),
    bad("string features", "column 'a'", "encode it as numbers", train=text("t.csv", "a,y\nred,0\n")),
    bad("csv with rows of different length", "train 't.csv' cannot be read", train=text("t.csv", "a,y\n1,0\n1,2,3\n")),
    bad("csv with a header only", "train has no rows", train=text("t.csv", "a,y\n")),
    bad("empty csv", "train 't.csv' cannot be read", train=text("t.csv", "")),
    bad("csv with row numbers", "row numbers that pandas writes", "index=False", train=text("t.csv", ",a,y\n0,1,0\n")),
    bad("parquet that is none", "train 't.parquet' cannot be read", train=text("t.parquet", "hello")),
    bad("test with other columns", "other columns than the training data", train=text("a.csv", "a,b,c,y\n1,2,3,0\n"), test=text("b.csv", "a,b,d,y\n1,2,3,0\n")),
    bad("unknown class in test", "label 'pear'", train=text("a.csv", "a,b,c,y\n1,2,3,fig\n1,2,3,nut\n"), test=text("b.csv", "a,b,c,y\n1,2,3,pear\n")),
    bad("ragged images", "pictures of different shapes", "'0/0.png' is 1x4x4", train=pictures((4, 4), (5, 4))),
    bad("class without pictures", "no pictures in its folder '0'", train=pictures()),
    bad("folder without classes", "train was 'out', which holds no folders", train="out"),
    bad("damaged dataset", "train 'd' cannot be read", train=lambda folder: text("d/state.json", "{")(folder)[:1]),
    bad("data function raises", "failed when it was called", train="world_models:broken"),
    bad("data function gives a number", "train was a int", test="world_models:number", train="world_models:number"),
    bad("words for a regression", "words for labels", loss="squared-error", test=None, train=arrays(x=X, y=np.where(Y > 0, "a", "b"))),
    bad("targets of another width", "1 numbers an example and the network gives 2", loss="squared-error"),
    bad("classes for one logit", "labels from 0 to 3", loss="binary-cross-entropy", network_args='{"outputs": 1}', initial=None, weights=saved(state(outputs=1)), train=arrays(x=X, y=Y * 3)),
]  # fmt: skip

SETTINGS = [
    bad("unknown loss", "--loss was 'cross-entropie'", "did you mean 'cross-entropy'", loss="cross-entropie"),
    bad("delta too large", "--delta was '1.5'", "between 0 and 1", delta="1.5"),
    bad("delta zero", "--delta was '0'", delta="0"),
    bad("delta is no number", "--delta was 'small'", delta="small"),
    bad("delta nan", "--delta was 'nan'", delta="nan"),
    bad("seed is no number", "--seed was 'x'; expected a whole number", seed="x", subprocess=True),
    bad("seed negative", "--seed was '-1'", seed="-1"),
    bad("seed too large", "--seed was '99999999999999999999'", seed="9" * 20),
    bad("memory zero", "--memory was '0'", "256MiB", memory="0"),
    bad("memory without meaning", "--memory was 'lots'", memory="lots"),
    bad("loss range reversed", "--loss-range was '1,0'", loss_range="1,0"),
    bad("loss range of one number", "--loss-range was '1'", loss_range="1"),
    bad("loss range endless", "--loss-range was '0,inf'", loss_range="0,inf"),
    bad("unknown reading", "'path-nrom'", "heldout list", only="path-nrom"),
    bad("unknown device", "--device was 'tpu'", "cuda", device="tpu"),
    bad("device that is not there", "--device was 'cuda:99'", device="cuda:99"),
    bad("unknown duplicates", "--duplicates was 'maybe'", "refuse, allow", duplicates="maybe"),
    bad("two faults at once", "2 faults at once", "--seed was 'x'", "--memory was '0'", seed="x", memory="0"),
    bad("faults in two files", "2 faults at once", "train was 'gone.npz'", "weights was 'gone.pt'", train="gone.npz", weights="gone.pt", initial=None),
]  # fmt: skip

OUTPUTS = [
    bad("report in no folder", "--report was 'gone/report.html'", "make the folder", report="gone/report.html"),
    bad("report is a folder", "--report was 'out' (a folder)", report="out"),
    bad("report is a pipe", "--report was 'p' (a device or a pipe", report=pipe("p")),
    bad("json is a pipe", "--json was 'p' (a device or a pipe", json=pipe("p")),
    bad("report below a file", "--report was 'w.safetensors/r.html'", report="w.safetensors/r.html"),
    bad("json where nothing can be written", "--json was '/dev/null/audit.json'", json="/dev/null/audit.json"),
    bad("report and json in one file", "both 'out/a'", report="out/a", json="out/a"),
    bad("store is a file", "store was 'w.safetensors'", "folder", store="w.safetensors"),
    bad("store of a later version", "has layout 99", "upgrade", store=lambda folder: text("s/store.json", '{"store": 99}')(folder)[:1]),
    bad("store of another program", "store.json that heldout did not write", store=lambda folder: text("s/store.json", "[]")(folder)[:1]),
    bad("store of unknown protocol", "store was 'pigeon://coop'", store="pigeon://coop"),
    bad("plan in no folder", "--json was 'gone/plan.json'", plan="", json="gone/plan.json"),
]  # fmt: skip

WORDS = [
    line("unknown command", "adit", "no such command 'adit'", subprocess=True),
    line("unknown option", "audit --wieghts w.pt", "--wieghts is not an option", "--weights"),
    line("missing value", "audit --network", "'--network' requires an argument", "see 'heldout", subprocess=True),
    line("extra word", "audit w.pt", "unexpected", "w.pt"),
    line("value for a flag", "audit --quiet=yes", "--quiet"),
    line("plan of the example", "audit --plan", "--plan was given without --network"),
    line("option without network", "audit --device cpu", "--device was given without --network"),
    line("example with a bad seed", "audit --seed x", "--seed was 'x'"),
    line("example with a bad delta", "audit --delta 7", "--delta was '7'"),
    line("example with no place for its report", "audit --report gone/r.html", "--report was 'gone/r.html'"),
    line("explain nothing", "explain", "missing argument"),
    line("explain an unknown name", "explain path-nrom", "'path-nrom' is not in the catalog", "path-norm"),
    line("list of unknown kind", "list --kind mesure", "--kind was 'mesure'", "did you mean 'measure'"),
    line("runs of no store", "runs nowhere", "store was 'nowhere', where nothing is stored"),
    line("show without a run", "show", "missing argument"),
    line("show from no store", "show 1a2b --store nowhere", "store was 'nowhere'"),
    line("show into no folder", "show 1a2b --report gone/r.html", "--report was 'gone/r.html'"),
]

TABLE = [*WEIGHTS, *NETWORK, *DATA, *SETTINGS, *OUTPUTS, *WORDS]
