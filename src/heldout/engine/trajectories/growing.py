"""A trajectory in the store, written as it grows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from safetensors.torch import save

from heldout._version import __version__
from heldout.engine.population import Population
from heldout.engine.store import Store
from heldout.engine.store.trajectories import begin_trajectory, finish_trajectory, keep_step
from heldout.engine.store.writing import said_in_a_sentence
from heldout.engine.training import Recipe
from heldout.engine.training.fit import Fitted

KEPT = "the readings made so far are kept"


@dataclass(frozen=True, slots=True)
class Growing:
    """Where a training writes what it reads; nowhere if no store was named.

    Attributes:
        store: The store, or None.
        run: The training's name there; empty without a store.
    """

    store: Store | None
    run: str

    @classmethod
    def begun(
        cls, url: str, population: Population, recipe: Recipe, seed: int, numbers: Sequence[int], record: Sequence[str],
        steps: Sequence[int],
    ) -> Self:  # fmt: skip
        """A training that begins.

        Args:
            url: Of the store; empty for none. A place where nothing can be written is refused here.
            population: The networks.
            recipe: How they are trained.
            seed: Of everything random.
            numbers: The members' numbers.
            record: What is read.
            steps: When.

        Returns:
            Where to write.
        """
        if not url:
            return cls(None, "")
        store = Store(url)
        store.check_writable()
        about = {
            "heldout": __version__, "network": str(population.template), "members": len(population), "numbers": list(numbers),
            "recipe": repr(recipe), "seed": seed, "record": list(record), "steps": list(steps),
        }  # fmt: skip
        with said_in_a_sentence(url, KEPT):
            return cls(store, begin_trajectory(store, about))

    def step(self, step: int, rows: Sequence[Mapping[str, Any]], weights: Population | None) -> None:
        """Write what was read at a step.

        Args:
            step: Steps taken.
            rows: Readings.
            weights: The population, where it is recorded.
        """
        if self.store is not None:
            with said_in_a_sentence(self.store.url, KEPT):
                keep_step(self.store, self.run, step, rows, b"" if weights is None else _bytes(weights))

    def finish(self, fitted: Fitted) -> None:
        """Write how it ended.

        Args:
            fitted: What the training gave.
        """
        if self.store is not None:
            outcome = {
                "step": fitted.step.tolist(), "reason": list(fitted.reason), "plan": asdict(fitted.plan), "seconds": fitted.seconds,
            }  # fmt: skip
            with said_in_a_sentence(self.store.url, KEPT):
                finish_trajectory(self.store, self.run, outcome, _bytes(fitted.final))


def _bytes(population: Population) -> bytes:
    tensors = {**population.parameters, **population.buffers}
    return save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in sorted(tensors.items())})
