"""What work costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passes:
    """Cost in sweeps over the training set: one forward is every training example through one network once."""

    forward: float = 0.0
    backward: float = 0.0

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward)
