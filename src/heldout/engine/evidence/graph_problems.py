"""Problems of known risk for the simulator: one graph, random splits, and the network that flatters itself most."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from heldout.engine.evidence.graphs import LabelledGraph

NODES, LABELLED, DIRECTIONS = 1000, 400, 64


class Splits(NamedTuple):
    """Evidence with the true risks.

    Attributes:
        graph: Sizes and norms.
        margins: Of the labelled nodes, ``[M, m]``.
        path_norms: ``[M]``.
        errors: On the labelled nodes, ``[M, m]``.
        risks: Share of errors among the unlabelled, ``[M]``.
    """

    graph: LabelledGraph
    margins: Tensor
    path_norms: np.ndarray
    errors: Tensor
    risks: np.ndarray


def splits(generator: np.random.Generator, problems: int) -> Splits:
    """Draw splits of one graph.

    1,000 nodes on a circle with no edge but to themselves; above the middle the label is 1, for a quarter it is the other. Of 64
    linear networks that look up, within 30 degrees, the one is chosen that errs more on the unlabelled than on the labelled nodes by
    the most, as no learner could.

    Args:
        generator: Of the splits; nodes and labels are always the same.
        problems: M.

    Returns:
        The problems.
    """
    fixed = np.random.default_rng(11)
    angles = fixed.uniform(0, 2 * np.pi, NODES)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    signs = np.where(points[:, 1] > 0, 1.0, -1.0) * np.where(fixed.random(NODES) < 0.25, -1.0, 1.0)
    towards = np.linspace(np.pi / 3, 2 * np.pi / 3, DIRECTIONS)  # so that bounds stay below 1, where they could fail
    margins = signs * (np.stack([np.cos(towards), np.sin(towards)], axis=1) @ points.T)  # [64, N]
    wrong = (margins <= 0).astype(np.float64)
    order = np.argsort(generator.random((problems, NODES)), axis=1)
    seen, rest = order[:, :LABELLED], order[:, LABELLED:]
    inside = np.stack([wrong[:, nodes].mean(1) for nodes in seen])
    outside = np.stack([wrong[:, nodes].mean(1) for nodes in rest])
    chosen = (outside - inside).argmax(axis=1)
    one = np.ones(problems)
    return Splits(
        LabelledGraph(LABELLED, NODES - LABELLED, one, one * float(np.linalg.norm(points)), (2,), (), 2),
        torch.from_numpy(np.stack([margins[pick, nodes] for pick, nodes in zip(chosen, seen, strict=True)])),
        one,
        torch.from_numpy(np.stack([wrong[pick, nodes] for pick, nodes in zip(chosen, seen, strict=True)])),
        outside[np.arange(problems), chosen],
    )
