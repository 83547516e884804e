"""How a posterior's training is adapted to a subject: steps by its examples, the unit of the loss by its classes."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests import cases

from heldout.engine.evidence import drawing
from heldout.engine.posteriors import Gaussian, Settings
from heldout.engine.subject import Examples


@pytest.mark.parametrize(
    ("examples", "given", "steps"),
    [(60, 600, 200), (60, 50, 50), (60, 5, 20), (300, 600, 600), (300, 5, 60), (300, 10_000, 600)],
)  # 60 examples are one step an epoch, 300 are three; at least 20 epochs, at most 200
def test_steps_follow_the_examples(monkeypatch: pytest.MonkeyPatch, examples: int, given: int, steps: int) -> None:
    subject, seen = cases.linear().subject(), {}

    def trained_posterior(*_: Any, **settings: Any) -> None:
        seen.update(settings)

    monkeypatch.setattr(drawing, "trained_posterior", trained_posterior)
    data = Examples(torch.zeros(examples, 8), torch.zeros(examples, dtype=torch.long))
    settings = Settings(steps=given, batch_size=128)
    drawing.posterior_for(subject.population, subject.population, data, subject, settings, 3, size=77)
    assert seen["settings"] == replace(settings, steps=steps, unit=1.5 * math.log(3))
    assert (seen["bound_size"], seen["seed"], seen["binary"]) == (77, 3, False)
    fixed = Gaussian.around(subject.population, 0.1)
    drawing.posterior_for(subject.population, fixed, data, subject, settings, 3)
    assert seen["settings"] == replace(settings, steps=steps)
    assert seen["bound_size"] == examples
