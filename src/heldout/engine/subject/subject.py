"""The subject of an audit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from heldout.engine.population import Population, inputs_at
from heldout.engine.population.stack import DEFAULT_MEMORY
from heldout.engine.subject.checks import check
from heldout.engine.subject.examples import Examples, as_examples, with_class_numbers
from heldout.engine.subject.history import History, as_history
from heldout.engine.subject.losses import Loss, loss_named
from heldout.engine.subject.modes import train_mode_layers

Networks = nn.Module | Sequence[nn.Module] | Population


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Subject:
    """What is under study: the networks, their training data, the loss, and what else is known.

    What is absent makes readings *not applicable, because ...*; it never makes them wrong. Networks are measured in
    evaluation mode; their own mode is left as it is.

    Args:
        network: One trained module, several of equal architecture, or a population.
        train: Training data: ``(x, y)`` of tensors or arrays, a ``Dataset``, a ``DataLoader``, or :class:`Examples`.
        test: Data the network has not seen, likewise; optional.
        loss: ``"cross-entropy"``, ``"binary-cross-entropy"``, ``"squared-error"``, or a callable from (outputs, labels) to
            one loss an example.
        initial: The network(s) at initialisation; optional.
        loss_range: Smallest and largest value the loss can take, for certificates of a regression.
        selected_on_test: Whether the test data took part in choosing the network; certificates are then refused.
        duplicates: ``"refuse"``: certificates are refused when test examples stand in the training data too;
            ``"allow"``: it is an assumption in their ledger that such repeats come from independent draws.
        pool: Size of the finite pool from which the test examples were drawn at random without replacement, they included; None
            for independent draws from a distribution.
        privacy: Epsilon of the differential privacy with which the networks were trained on these examples; None if they were not.
        history: How training went: columns ``step`` and ``train-loss``, where they are known also ``member`` (from 0), ``epoch`` and
            ``gradient-noise``; a dictionary of arrays or a table; optional. ``trajectory.subject()`` gives what it recorded.
        groups: One word a member, to tell groups of a population apart.
        name: For the report.
        memory: Bytes that the activations of one chunk may take.

    Raises:
        Refusal: All faults of the input, together.
    """

    population: Population
    train: Examples
    test: Examples | None
    loss: Loss
    initial: Population | None
    loss_range: tuple[float, float] | None
    selected_on_test: bool
    duplicates: str
    pool: int | None
    privacy: float | None
    history: History | None
    groups: tuple[str, ...]
    name: str
    train_mode: tuple[str, ...]
    classes: int | None

    def __init__(
        self,
        network: Networks,
        train: Any,
        test: Any = None,
        *,
        loss: str | Loss | Callable[[Tensor, Tensor], Tensor] = "cross-entropy",
        initial: Networks | None = None,
        loss_range: tuple[float, float] | None = None,
        selected_on_test: bool = False,
        duplicates: str = "refuse",
        pool: int | None = None,
        privacy: float | None = None,
        history: Any = None,
        groups: Sequence[str] = (),
        name: str = "",
        memory: int = DEFAULT_MEMORY,
    ) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        population = network if isinstance(network, Population) else Population(network, memory=memory)
        examples, unseen = as_examples(train, "train"), None if test is None else as_examples(test, "test")
        named = loss_named(loss, examples.y)
        if named.task == "classification":
            examples, unseen = with_class_numbers(examples), None if unseen is None else with_class_numbers(unseen)
        put("train_mode", train_mode_layers(network))
        put("population", population)
        put("train", examples)
        put("test", unseen)
        put("loss", named)
        before = initial if initial is None or isinstance(initial, Population) else Population(initial, memory=memory)
        if before is not None:
            before.tally = population.tally  # whichever networks are called, it is this subject's work
        put("initial", before)
        put("loss_range", loss_range)
        put("selected_on_test", selected_on_test)
        put("duplicates", duplicates)
        put("pool", pool)
        put("privacy", privacy)
        put("history", None if history is None else as_history(history, len(population)))
        put("groups", (groups,) if isinstance(groups, str) else tuple(groups))  # one word is one member's
        put("name", name or type(population.template).__name__)
        put("classes", check(self))

    def with_networks(self, population: Population, initial: Population | None = None) -> "Subject":
        """The same data and settings with other weights of the same architecture; nothing is checked again.

        Args:
            population: The networks.
            initial: The same before training, counting on the same tally; None where they are not known.

        Returns:
            The subject.
        """
        other = object.__new__(Subject)
        for name in self.__dataclass_fields__:
            object.__setattr__(other, name, getattr(self, name))
        object.__setattr__(other, "population", population)
        object.__setattr__(other, "initial", initial)
        return other

    @property
    def probe(self) -> Any:
        """One training example of the first member, leaves ``[1, ...]``."""
        x = inputs_at(self.train.x, slice(0, 1), per_member=self.train.x_per_member)
        return inputs_at(x, 0) if self.train.x_per_member else x

    def summary(self) -> dict[str, Any]:
        """The subject in plain values, for the record."""
        return {
            "name": self.name,
            "members": len(self.population),
            "parameters": self.population.size,
            "task": self.loss.task,
            "classes": self.classes,
            "loss": self.loss.name,
            "train_examples": len(self.train),
            "test_examples": None if self.test is None else len(self.test),
            "initial_weights": self.initial is not None,
            "groups": list(self.groups),
            "train_mode_layers": list(self.train_mode),
            "strategy": f"member by member ({self.population.loop_reason})"
            if self.population.loop_reason
            else "stacked",
        }
