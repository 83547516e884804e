"""How well random linear readers tell the classes apart in a representation: capacity, and the geometry behind it."""

from typing import Any

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.class_manifolds import MOSTLY, ClassManifolds, LayerManifolds
from heldout.records import Direction, Estimate, estimate

SAME = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
CHUNG = "Chung, Lee and Sompolinsky 2018; Cohen et al. 2020"
CHOU = "Chou et al. 2025, effective geometric measures (GLUE)"
NO_ANCHORS = (
    "most dichotomies cannot be read linearly, or most probes lie inside the cone, and lean on no particular points"
)


@measure(source=f"{CHUNG}; {CHOU}", direction=Direction.HIGHER_IS_BETTER, invariances=SAME)
def manifold_capacity(class_manifolds: ClassManifolds) -> Estimate:
    r"""Classes a dimension that a random linear reader can divide in two at will, in what the last weight layer receives.

    .. math:: \alpha = P \,/\, \mathbb E_{y, t} \|\mathrm{proj}_{C_y} t\|^2, \quad C_y = \mathrm{cone}\{y_i x : x \in M_i\}

    t is Gaussian, y a random dichotomy of the P classes, M_i at most 20 training examples of class i, the mean of the classes'
    means subtracted. The expectation is the number of random projections of the representation that leave half of the
    dichotomies separable. 2 for single points (Cover 1965); at least P over the representation's dimension. It cannot see
    beyond 20 examples: more of them make it smaller.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The capacity with the standard error over probes.

    Example:
        >>> one, zero, yes = torch.ones(4), torch.zeros(4), torch.tensor(True)
        >>> manifold_capacity(ClassManifolds(one / 2, zero, zero, one, one, torch.tensor(0.0), yes)).value.item()
        2.0
    """
    whole = class_manifolds.whole
    error = whole.std() / len(whole) ** 0.5 / whole.mean().square()
    return estimate(1.0 / whole.mean(), standard_error=error, converged=class_manifolds.converged)


@measure(source=f"{CHUNG}; labels shuffled as the control", direction=Direction.HIGHER_IS_BETTER, invariances=SAME)
def manifold_capacity_over_chance(class_manifolds: ClassManifolds) -> Estimate:
    r"""Capacity of the classes over that of the same points with their labels shuffled.

    .. math:: \alpha / \alpha_\text{shuffled}

    1 where the representation knows nothing of the classes, whatever its dimension. Probes and dichotomies are shared, so much
    of their noise cancels; the shuffle is one.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The ratio with the standard error over probes.

    Example:
        >>> one, zero, yes = torch.ones(4), torch.zeros(4), torch.tensor(True)
        >>> manifold_capacity_over_chance(ClassManifolds(one / 2, zero, zero, one, one, torch.tensor(0.0), yes)).value.item()
        2.0
    """
    return ratio(class_manifolds.by_chance, class_manifolds.whole, class_manifolds.converged)


@measure(source=CHOU, direction=Direction.NEITHER, undefined=NO_ANCHORS, invariances=SAME)
def manifold_dimension(class_manifolds: ClassManifolds) -> Estimate:
    r"""Effective dimension of the classes in what the last weight layer receives: along how many axes random readers meet them.

    .. math:: D = \frac1P \mathbb E\, (S^1 t)^\top (S^1 S^{1\top})^+ (S^1 t)

    The rows of S are the anchors, the points of the classes' hulls that the projection in ``manifold-capacity`` leans on; those
    of ``S^1`` their differences from their means over probes. Classes that a probe does not touch are left out of its term, and
    probes inside the cone, which lean on no particular points, out of the mean.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The dimension with the standard error over probes; NaN where most have no anchors.

    Example:
        >>> one, yes = torch.ones(4), torch.tensor(True)
        >>> manifold_dimension(ClassManifolds(one, 3 * one, one, one, one, torch.tensor(0.0), yes)).value.item()
        3.0
    """
    found = class_manifolds
    return ratio(found.axes, leaning(found.outside), found.converged)


@measure(source=CHOU, direction=Direction.NEITHER, undefined=NO_ANCHORS, invariances=SAME)
def manifold_radius(class_manifolds: ClassManifolds) -> Estimate:
    r"""Effective radius of the classes in what the last weight layer receives, in units of their centres' distance from the middle.

    .. math:: R^2 = \frac{\mathbb E\, c}{\mathbb E\, [b - c]}, \quad
        c = (S^1 t)^\top (S^1 S^{1\top} + S^0 S^{0\top})^+ (S^1 t), \quad b = (S^1 t)^\top (S^1 S^{1\top})^+ (S^1 t)

    ``S^0`` holds the mean anchors, ``S^1`` the anchors' differences from them. The radius of spheres around orthogonal centres of
    length 1; 0 for points.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The radius with the standard error over probes; NaN where most have no anchors, or centres coincide.

    Example:
        >>> one, yes = torch.ones(4), torch.tensor(True)
        >>> round(manifold_radius(ClassManifolds(one, 5 * one, 4 * one, one, one, torch.tensor(0.0), yes)).value.item(), 4)
        2.0
    """
    axes, damped, there = class_manifolds.axes, class_manifolds.damped, leaning(class_manifolds.outside)
    square = ratio(damped, axes - damped, class_manifolds.converged)
    value = square.value.sqrt() + 0 * there.sum()
    point = (axes.mean() == 0) & torch.isfinite(there.sum())
    error = torch.where(point, 0.0, square.standard_error / (2 * value))
    value = torch.where(point, 0.0, torch.where(torch.isfinite(value), value, float("nan")))
    return estimate(value, standard_error=error, converged=class_manifolds.converged)


@measure(source=CHOU, direction=Direction.NEITHER, undefined=NO_ANCHORS, invariances=SAME)
def manifold_utility(class_manifolds: ClassManifolds) -> Estimate:
    r"""Effective utility of the classes' shape: the part of a random reader's work that radius and dimension account for.

    .. math:: \Psi = \frac{\mathbb E\, c}{\mathbb E\, a}, \quad \alpha = \Psi\, \frac{1 + R^{-2}}{D}

    with c as in ``manifold-radius`` and a the squared length of the projection: what is left of the capacity once radius and
    dimension are known. Near 1 for large spheres of high dimension, 0 for points.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The utility with the standard error over probes; NaN where most have no anchors.

    Example:
        >>> one, yes = torch.ones(4), torch.tensor(True)
        >>> manifold_utility(ClassManifolds(4 * one, 3 * one, 2 * one, one, one, torch.tensor(0.0), yes)).value.item()
        0.5
    """
    found = class_manifolds
    return ratio(found.damped, found.whole * leaning(found.outside).mean(), found.converged)


@measure(source=f"{CHUNG}, centre correlation", direction=Direction.NEITHER, range=(0.0, 1.0), undefined=NO_ANCHORS,
         invariances=SAME)  # fmt: skip
def manifold_centre_correlation(class_manifolds: ClassManifolds) -> Estimate:
    r"""Mean absolute cosine of two classes' centres in what the last weight layer receives.

    .. math:: \frac{2}{P (P - 1)} \sum_{i < j} \frac{|c_i \cdot c_j|}{\|c_i\| \|c_j\|}

    Centres are mean anchors, as for ``manifold-dimension``. Subtracting the middle gives P centres in general position
    ``1 / (P - 1)``, not 0: always 1 for two classes.

    Args:
        class_manifolds: Of random probes.

    Returns:
        The mean; NaN where most probes have no anchors.

    Example:
        >>> one, yes = torch.ones(4), torch.tensor(True)
        >>> manifold_centre_correlation(ClassManifolds(one, one, one, one, one, torch.tensor(0.25), yes)).value.item()
        0.25
    """
    found = class_manifolds
    told = found.centre_correlation.clamp(max=1.0) + 0 * leaning(found.outside).mean()
    return estimate(told, converged=found.converged)


@profile(source=f"{CHUNG}; {CHOU}; class by class and layer by layer")
def manifold_geometry(layer_manifolds: LayerManifolds) -> dict[str, Any]:
    r"""Capacity, radius, dimension and utility of every class in what every weight layer but the first receives, first eight members.

    .. math:: \alpha_i = 1 \,/\, \mathbb E_t \|\mathrm{proj}_{\mathrm{cone}(M_i)} t\|^2

    The formulas of ``manifold-capacity``, ``manifold-radius``, ``manifold-dimension`` and ``manifold-utility`` for one class by
    itself, as if the others lay across. ``layer_capacity`` is that of all classes together as they lie, ``capacity_by_chance``
    with labels shuffled; ``outside`` the share of probes outside their cone: where it is near 0, the layer's few dimensions alone
    keep the capacity up.

    Args:
        layer_manifolds: Of random probes.

    Returns:
        One row a member, layer and class.

    Example:
        >>> one = torch.ones(1, 1, 1)
        >>> known = LayerManifolds(("a",), (7,), torch.stack([one / 2, 3 * one, 2 * one]), one[0], one[0], one[0])
        >>> {name: column[0] for name, column in manifold_geometry(known).items() if name in ("class", "capacity", "dimension")}
        {'class': 7, 'capacity': 2.0, 'dimension': 3.0}
    """
    whole, axes, damped = layer_manifolds.own
    members, layers, classes = whole.shape
    columns = {
        "capacity": 1.0 / whole,
        "radius": torch.where(axes == 0, 0.0, (damped / (axes - damped)).sqrt()),
        "dimension": axes,
        "utility": damped / whole,
    }
    of_layers = {
        "layer_capacity": 1.0 / layer_manifolds.together,
        "capacity_by_chance": 1.0 / layer_manifolds.by_chance,
        "outside": layer_manifolds.outside,
    }
    return {
        "member": [m for m in range(members) for _ in range(layers * classes)],
        "place": [place for place in range(layers) for _ in range(classes)] * members,
        "layer": [name for name in layer_manifolds.layers for _ in range(classes)] * members,
        "class": list(layer_manifolds.classes) * (members * layers),
        **{name: column.flatten().tolist() for name, column in columns.items()},
        **{name: column.unsqueeze(-1).expand_as(whole).flatten().tolist() for name, column in of_layers.items()},
    }


def leaning(outside: Tensor) -> Tensor:
    """Which probes have anchors.

    Args:
        outside: 1 where they have, ``[T]``.

    Returns:
        The same; NaN throughout where fewer than half have.
    """
    return torch.where(outside.mean() < MOSTLY, float("nan"), outside)


def ratio(above: Tensor, below: Tensor, converged: Tensor) -> Estimate:
    """The ratio of two means over the same draws.

    Args:
        above: ``[T]``.
        below: ``[T]``.
        converged: Whether the draws can be trusted.

    Returns:
        With the standard error of the linearised ratio.
    """
    value = above.mean() / below.mean()
    error = (above - value * below).std() / len(above) ** 0.5 / below.mean()
    return estimate(value, standard_error=error, converged=converged)
