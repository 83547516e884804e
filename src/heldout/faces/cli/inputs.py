"""From the words of ``heldout audit`` to a subject; all faults that can be told apart are told together."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from heldout.faces.cli.options import choice_of, delta_of, device_of, keywords_of, range_of, seed_of
from heldout.records import Refusal, refuse

if TYPE_CHECKING:
    from torch import nn

    from heldout.engine.subject import Subject
    from heldout.engine.subject.loaded import Loaded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of an audit, in the words of the command line; None or empty where nothing was said."""

    network: str | None
    network_args: str | None
    weights: tuple[str, ...]
    initial: tuple[str, ...]
    train: str | None
    test: str | None
    label: str | None
    loss: str | None
    loss_range: str | None
    only: tuple[str, ...]
    device: str | None
    memory: str | None
    selected_on_test: bool
    duplicates: str | None
    seed: str
    delta: str
    pool: int | None = None
    privacy: float | None = None
    thorough: bool = False
    history: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The values that the words stand for."""

    seed: int
    delta: float
    keywords: dict[str, Any] = field(default_factory=dict)
    loss: str = ""
    loss_range: tuple[float, float] | None = None
    device: str = ""
    memory: int = 0
    duplicates: str = ""


def check_example(request: Request) -> Settings:
    """Refuse what makes no sense for the built-in example.

    Args:
        request: What was asked, without a network.

    Returns:
        Seed and delta.
    """
    faults: list[Refusal] = []
    seed = attempt(faults, lambda: seed_of(request.seed))
    delta = attempt(faults, lambda: delta_of(request.delta))
    of_the_example = ("network", "seed", "delta")
    own = [f"--{each.name.replace('_', '-')}" for each in fields(request) if each.name not in of_the_example
           and getattr(request, each.name) not in (None, (), False)]  # fmt: skip
    if own:
        faults.append(
            Refusal(
                given=f"{', '.join(own)} {'was' if len(own) == 1 else 'were'} given without --network",
                expected="--network MODULE:FACTORY with --weights and --train, or none of them for the built-in example",
                do="add --network",
            )
        )
    refuse(faults)
    return Settings(seed or 0, delta or 0.0)


def check_settings(request: Request) -> Settings:
    """Everything that can be refused without opening a file.

    Args:
        request: What was asked.

    Returns:
        The values; all faults are refused together.
    """
    from heldout.engine.population.budget import bytes_of
    from heldout.engine.population.stack import DEFAULT_MEMORY
    from heldout.engine.subject.losses import NAMED
    from heldout.verbs.audit import chosen

    faults: list[Refusal] = []
    for option, given, do in (
        ("--weights", request.weights, "pass the trained checkpoint; several make a population"),
        ("--train", request.train, "pass the data the network was trained on"),
    ):
        if not given:
            faults.append(Refusal(given=f"{option} was not given", expected="a file", do=do))
    if request.initial and len(request.initial) != len(request.weights):
        faults.append(
            Refusal(
                given=f"--initial was given {len(request.initial)} times and --weights {len(request.weights)} times",
                expected="one initial checkpoint for each trained one, or none",
                do="pass them in the same order",
            )
        )
    seed = attempt(faults, lambda: seed_of(request.seed))
    delta = attempt(faults, lambda: delta_of(request.delta))
    attempt(faults, lambda: chosen(request.only))
    loss = attempt(faults, lambda: choice_of(request.loss or "cross-entropy", "--loss", tuple(NAMED)))
    span = attempt(faults, lambda: range_of(request.loss_range) if request.loss_range is not None else None)
    keywords = attempt(faults, lambda: keywords_of("{}" if request.network_args is None else request.network_args))
    device = attempt(faults, lambda: device_of("cpu" if request.device is None else request.device))
    memory = attempt(faults, lambda: DEFAULT_MEMORY if request.memory is None else bytes_of(request.memory, "--memory"))
    twice = attempt(faults, lambda: choice_of(request.duplicates or "refuse", "--duplicates", ("refuse", "allow")))
    refuse(faults)
    return Settings(seed or 0, delta or 0.0, keywords or {}, loss or "", span, device or "", memory or 0, twice or "")


def assemble(request: Request, settings: Settings) -> "Subject":
    """Open the files and put the subject together.

    Args:
        request: What was asked.
        settings: What :func:`check_settings` gave.

    Returns:
        The subject, on the device; all faults are refused together.
    """
    from heldout.engine.subject import Subject
    from heldout.engine.subject.history import as_history, history_file
    from heldout.engine.subject.loading import load_examples

    faults: list[Refusal] = []
    label = request.label or ""
    train: Loaded | None = attempt(faults, lambda: load_examples(request.train or "", "train", label=label))
    test: Loaded | None = None
    if request.test is not None and train is not None:
        test = attempt(faults, lambda: load_examples(request.test or "", "test", label=label, like=train))
    networks = attempt(faults, lambda: _networks(request, request.weights, settings, "weights"))
    initial = attempt(faults, lambda: _networks(request, request.initial, settings, "initial")) if networks else None
    history = None
    if request.history is not None:
        history = attempt(faults, lambda: as_history(history_file(request.history or ""), len(request.weights)))
    if train is not None and train.classes and settings.loss == "squared-error":
        faults.append(
            Refusal(
                given="train has words for labels and --loss was 'squared-error'",
                expected="numbers as the targets of a regression",
                do="name the loss of a classifier or another label column",
            )
        )
    refuse(faults)
    assert train is not None and networks is not None  # noqa: PT018 -- what failed was refused
    return Subject(
        networks,
        train.examples,
        None if test is None else test.examples,
        loss=settings.loss,
        initial=initial or None,
        loss_range=settings.loss_range,
        selected_on_test=request.selected_on_test,
        duplicates=settings.duplicates,
        pool=request.pool,
        privacy=request.privacy,
        history=history,
        memory=settings.memory,
    )


def attempt(faults: list[Refusal], action: Callable[[], T]) -> T | None:
    """The action's result, or None with its refusal among the faults.

    Args:
        faults: They are added to.
        action: What may refuse.
    """
    try:
        return action()
    except Refusal as fault:
        faults.append(fault)
        return None


def _networks(request: Request, paths: tuple[str, ...], settings: Settings, argument: str) -> "list[nn.Module]":
    from heldout.engine.subject.checkpoints import read_checkpoint, with_weights
    from heldout.engine.subject.factories import make_network

    networks = []
    for path in paths:
        tensors = read_checkpoint(path, argument)
        network = make_network(request.network or "", settings.keywords)
        networks.append(with_weights(network, tensors, path, argument).eval().to(settings.device))
    return networks
