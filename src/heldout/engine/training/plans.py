"""How a training is carried out: how many members a stack holds, by how many workers, compiled or not."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """A strategy. The same seed and plan give the same bits; across plans members agree to float tolerance.

    Attributes:
        chunk: Members in one stack.
        workers: Stacks trained side by side, each by a thread of its own.
        threads: Threads that a worker's kernels use.
        compiled: Whether the step is compiled.
        mapped: Whether the members of a stack are vectorised; otherwise the chunk is one.
    """

    chunk: int
    workers: int = 1
    threads: int = 1
    compiled: bool = False
    mapped: bool = True

    def to_dict(self) -> dict[str, int | bool]:
        """Plain values, for the record."""
        return asdict(self)
