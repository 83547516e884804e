"""Trainings with what was read along the way."""

from heldout.engine.trajectories.recording import recorded_steps
from heldout.engine.trajectories.train import train
from heldout.engine.trajectories.trajectory import Trajectory

__all__ = ["Trajectory", "recorded_steps", "train"]
