"""Transductive Rademacher bounds for graph convolutional networks: the error at the nodes without a label."""

from typing import Any

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.evidence.graph_problems import splits
from heldout.engine.evidence.graphs import LabelledGraph
from heldout.engine.numerics.transductive import (
    count_term,
    exchange_factor,
    linear_complexity,
    margin_upper,
    pair_weight,
)
from heldout.records import Bounded

CERTIFIES = "this network at the nodes of its graph that have no label"
STATEMENT = "probability over which nodes were labelled, a uniform draw without replacement; graph, features and labels are fixed"


def flattered(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: random splits of 1,000 nodes, and of 64 networks the one with the largest gap.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true shares of errors among the unlabelled.
    """
    drawn = splits(generator, problems)
    return {
        "margins": drawn.margins,
        "labelled_graph": drawn.graph,
        "graph_path_norms": drawn.path_norms,
    }, drawn.risks


def _bounded(
    margins: Tensor, graph: LabelledGraph, path_norms: np.ndarray, log_delta: float, *, published: bool
) -> Bounded:
    m, u, depth = graph.labelled, graph.unlabelled, len(graph.parameters)
    several = 2.0 * graph.classes if graph.classes > 2 else 1.0
    mixing = (1.5 * graph.diffusion_norm) ** (depth - 1)
    complexity = several * path_norms * mixing * linear_complexity(graph.data_norm, m, u)
    found = margins.double().cpu().numpy()
    value, gamma, ratio = margin_upper(found, complexity, m, u, log_delta, published=published)
    each = np.ones_like(value)
    return Bounded(
        value=value,
        steps=(("the complexity over the margin at its level, each level with its share", 1.0),),
        empirical_risk=(found <= 0).mean(axis=1),
        examples=m,
        loss="0-1 error at nodes without a label",
        data={
            "bound": f"all {m} labelled nodes, assumed to be a uniform draw without replacement from {m + u}",
            "assumption": "graph, features, diffusion and architecture were fixed before the draw",
        },
        terms={
            "complexity at margin 1": complexity,
            "margin": gamma,
            "complexity over the margin": ratio,
            "term for the count of labels": count_term(m, u, published=published) * each,
            "Q": pair_weight(m, u) * each,
            "S": exchange_factor(m, u) * each,
            "path norm": path_norms,
            "norm of the diffusion": graph.diffusion_norm,
            "norm of diffused features": graph.data_norm,
        },
    )


@bound(
    source="Esser, Vankadara and Ghoshdastidar 2021 (the form); El-Yaniv and Pechyony 2009, Theorem 1; all constants derived here",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="graph",
    problem=flattered,
)
def transductive_rademacher(
    margins: Tensor, labelled_graph: LabelledGraph, graph_path_norms: np.ndarray, *, log_delta: float
) -> Bounded:
    r"""Error with a margin at the labelled nodes, plus the transductive Rademacher complexity over the margin.

    .. math:: e_u \le e_m^\gamma + \frac{\rho}{\gamma} \left(\tfrac32 \|S\|\right)^{L-1} \sqrt{\tfrac{2}{mu}}\, \|S X\|_F
        + \tfrac{Q}{2} E|K - u| + \sqrt{\tfrac{S Q}{2} \ln \tfrac{1}{\delta_j}}

    The last two terms and the complexity's definition are derived in ``engine.numerics.transductive``. The complexity of networks
    ``S relu(S X W_1) w_2`` and deeper follows in four steps.

    *Margin.* The ramp that falls from 1 at 0 to 0 at :math:`\gamma` lies between error and error with margin; it is
    :math:`1/\gamma`-Lipschitz, and signs that may be 0 contract like Rademacher's, given where they are not 0. Two classes have one
    score, the difference of theirs; C > 2 have a margin that stretches distances by :math:`\sqrt 2`, and vector contraction (Maurer
    2016) brings another :math:`\sqrt 2` and C scores: a factor 2 C.

    *Paths.* A ReLU lets positive factors pass, so every hidden unit can be given norm 1 and its norm be moved to the next layer:
    :math:`\rho = \sum |w_L| \cdots |W_2| \|W_1\|_2` over paths, and the network is :math:`\rho` times one of norm 1 at most. Signed
    sums of units with absolute weights of at most 1 have the supremum of a single unit.

    *ReLU.* :math:`2\,\mathrm{relu}(z) = z + |z|`. With T the complexity of the symmetric class of z, the first half has :math:`T/2`
    and the second, by contraction once a sign, :math:`2 T/2`: a factor of 3/2, where peeling has 2.

    *Diffusion.* With :math:`\|S\|` the largest absolute row or column sum, S is that times an average of partial permutations with
    signs (Birkhoff; Mirsky 1959); each leaves a part of independent symmetric signs, and more of them only raise a convex function's
    mean. So :math:`E g(S^T \sigma) \le \|S\| E g(\sigma)`. At the first layer :math:`E\|(SX)^T\sigma\| \le \sqrt{2p}\,\|SX\|_F`.

    Norm and margin are read off the trained network; only their ratio matters, and every level of the complexity over the margin has
    its share of delta. It says nothing of other graphs, nor where nodes were labelled by anything but chance.

    Args:
        margins: True score minus the best other at labelled nodes, ``[M, m]``.
        labelled_graph: Sizes and norms.
        graph_path_norms: :math:`\rho`, ``[M]``.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, risks = flattered(np.random.default_rng(0), 2)
        >>> value = transductive_rademacher(**needs, log_delta=np.log(0.05)).value
        >>> bool((risks < value).all() and (value < 1).all())
        True
    """
    return _bounded(margins, labelled_graph, graph_path_norms, log_delta, published=False)


@bound(
    source="El-Yaniv and Pechyony 2009, Theorem 1, with its c0; Esser, Vankadara and Ghoshdastidar 2021",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="graph",
    problem=flattered,
)
def transductive_rademacher_published(
    margins: Tensor, labelled_graph: LabelledGraph, graph_path_norms: np.ndarray, *, log_delta: float
) -> Bounded:
    r"""The same with the published constant for the count of labels, which alone needs hundreds of labels.

    .. math:: c_0 Q \sqrt{\min(m, u)}, \quad c_0 = \sqrt{\tfrac{32 \ln 4e}{3}} < 5.05

    in place of :math:`\tfrac{Q}{2} E|K - u| \le \tfrac12 \sqrt{Q}`, which it exceeds by a factor of ten or more.

    Args:
        margins: True score minus the best other at labelled nodes, ``[M, m]``.
        labelled_graph: Sizes and norms.
        graph_path_norms: Path norms, ``[M]``.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = flattered(np.random.default_rng(0), 1)
        >>> ours, theirs = (b(**needs, log_delta=-3.0).value for b in (transductive_rademacher, transductive_rademacher_published))
        >>> print(f"{theirs[0] - ours[0]:.2f}")
        0.39
    """
    return _bounded(margins, labelled_graph, graph_path_norms, log_delta, published=True)
