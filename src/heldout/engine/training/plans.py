"""How a training is carried out: how many members a stack holds, by how many workers, compiled or not."""

from dataclasses import asdict, dataclass

from heldout.records import Refusal


@dataclass(frozen=True, slots=True)
class Plan:
    """A strategy. The same seed and plan give the same bits; across plans members agree to float tolerance.

    Attributes:
        chunk: Members in one stack.
        workers: Stacks trained side by side, each by a thread of its own.
        threads: Threads that a worker's kernels use.
        compiled: Whether the step is compiled.
        mapped: Whether the members of a stack are vectorised; otherwise the chunk is one.

    Raises:
        Refusal: If a number is below 1, or several members are not vectorised.
    """

    chunk: int
    workers: int = 1
    threads: int = 1
    compiled: bool = False
    mapped: bool = True

    def __post_init__(self) -> None:
        """Refused where it cannot be carried out."""
        for name in ("chunk", "workers", "threads"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise Refusal(given=f"{name} was {value!r}", expected="a whole number from 1", do=f"pass {name}=1")
        if not self.mapped and self.chunk != 1:
            raise Refusal(
                given=f"chunk was {self.chunk} with mapped=False",
                expected="chunk 1 where members are called one by one",
                do="pass chunk=1",
            )

    def to_dict(self) -> dict[str, int | bool]:
        """Plain values, for the record."""
        return asdict(self)
