"""A course of sampling as named tensors and plain values, so that chains outlive their process."""

from dataclasses import asdict, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from heldout.engine.sampling.course import Course
from heldout.engine.sampling.curvature import Curvature
from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.equilibrium import Equilibrium
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.recording import Recorded, Recorder
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.state import State
from heldout.engine.sampling.target import Energy, Target
from heldout.engine.sampling.tuning import Tuned
from heldout.engine.sampling.whitening import Whitening

Tensors = dict[str, Tensor]
Plain = dict[str, Any]
CENTRES = ("centre_losses", "centre_test_losses")  # of draws: the course has them


class Keep(Protocol):
    """A place for one course."""

    def read(self) -> tuple[Tensors, Plain] | None:
        """What was written last; None if nothing was."""
        ...

    def write(self, tensors: Tensors, plain: Plain) -> None:
        """Put this in its place, whole or not at all."""
        ...


def packed(course: Course) -> tuple[Tensors, Plain]:
    """All that the next draw depends on, and the draws of the groups that have ended.

    Args:
        course: Between two draws.

    Returns:
        Tensors, and values for JSON.
    """
    tuned, state, recorder = course.tuned, course.state, course.recorder
    tensors = {name: getattr(course, name) for name in ("going", "spent", "acceptance")}
    tensors |= {f"tuned.{name}": getattr(tuned, name) for name in ("size", "steps", "metropolis")}
    tensors |= {f"curved.{name}": part for name, part in course.curved._asdict().items()}
    tensors |= {f"energy.{name}": part for name, part in state.energy._asdict().items()}
    tensors |= {f"state.{name}": part for name, part in state._asdict().items() if name != "energy"}
    if isinstance(tuned.sampler, Hmc):
        tensors["tuned.slowest"] = tuned.sampler.slowest
    if (maps := tuned.target.whitening) is not None:
        names = ("directions", "precisions", "localisation")
        tensors |= {f"whitening.{name}": getattr(maps, name) for name in names}
    for group in course.going.tolist():
        tensors |= {f"recorded.{group}.{name}": torch.from_numpy(part) for name, part in recorder.packed(group).items()}
    for group, draws in course.finished.items():
        tensors |= {f"finished.{group}.{name}": torch.from_numpy(part) for name, part in _arrays(draws).items()}
    plain = {
        "count": course.count, "number": course.number, "next_look": course.next_look,
        "recorder": [recorder.stride, recorder.count],
        "finished": {str(group): _values(draws) for group, draws in course.finished.items()},
    }  # fmt: skip
    return tensors, plain


def unpacked(kept: tuple[Tensors, Plain], target: Target, settings: Settings, test: Field | None) -> Course:
    """What :func:`packed` took apart, for the same target and settings.

    Args:
        kept: Tensors and plain values.
        target: What is sampled.
        settings: How.
        test: Test examples; None without.

    Returns:
        The course.
    """
    tensors, plain = kept
    device = target.field.centres.device
    sampler, _ = settings.chosen(target.field.examples)

    def parts(prefix: str, here: torch.device | None = device) -> Tensors:
        found = {
            name.removeprefix(f"{prefix}."): part for name, part in tensors.items() if name.startswith(f"{prefix}.")
        }
        return {name: part.to(here) if here else part for name, part in found.items()}

    tuned, state, maps = parts("tuned"), parts("state"), parts("whitening")
    if isinstance(sampler, Hmc):
        sampler = replace(sampler, slowest=tuned.pop("slowest"))
    whole = target if sampler.exact else target.subset(torch.arange(target.groups).repeat(2))
    if maps:
        whole = replace(whole, whitening=Whitening(**maps))
    at = State(energy=Energy(**parts("energy")), **state)
    spent = tensors["spent"].to(device)
    recorder = Recorder(target.field, test, target.chains, *plain["recorder"])
    for group in tensors["going"].tolist():
        recorder.unpack(group, {name: part.numpy() for name, part in parts(f"recorded.{group}", None).items()})
    course = Course(
        target, settings, test, Curvature(**parts("curved")), Tuned(whole, sampler, state=at, spent=spent, **tuned), at,
        tensors["going"], spent, tensors["acceptance"].to(device), recorder, plain["next_look"], plain["count"], plain["number"],
    )  # fmt: skip
    for group, values in plain["finished"].items():
        arrays = {name: part.numpy() for name, part in parts(f"finished.{group}", None).items()}
        course.finished[int(group)] = _draws(arrays, values, course)
    return course


def _arrays(draws: Draws) -> dict[str, np.ndarray]:
    found = {part.name: getattr(draws.recorded, part.name) for part in fields(Recorded)}
    return {name: np.ascontiguousarray(array) for name, array in found.items() if array is not None}


def _values(draws: Draws) -> Plain:
    apart = (*CENTRES, "recorded", "equilibrium")
    values = {part.name: getattr(draws, part.name) for part in fields(Draws) if part.name not in apart}
    return {**values, "equilibrium": {**asdict(draws.equilibrium), "converged": bool(draws.equilibrium.converged)}}


def _draws(arrays: dict[str, np.ndarray], values: Plain, course: Course) -> Draws:
    recorded = Recorded(**{part.name: arrays.get(part.name) for part in fields(Recorded)})  # type: ignore[arg-type]
    centres = dict(zip(CENTRES, course.centres_of(values["member"]), strict=True))
    return Draws(**{**values, **centres, "recorded": recorded, "equilibrium": Equilibrium(**values["equilibrium"])})
