"""The transductive bound of Vapnik for graph convolutional networks: all labellings of one graph are counted."""

from typing import Any

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.evidence.graph_problems import splits
from heldout.engine.evidence.graphs import LabelledGraph
from heldout.engine.numerics.transductive import log_graph_labellings, unlabelled_errors_upper, width
from heldout.records import Bounded


def counted(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: random splits of 1,000 nodes, and of 64 networks the one with the largest gap.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true shares of errors among the unlabelled.
    """
    drawn = splits(generator, problems)
    return {"errors": drawn.errors, "labelled_graph": drawn.graph}, drawn.risks


@bound(
    source="Vapnik 1982 (implicit transductive bound); labellings after Bartlett et al. 2019, Theorem 6, at the nodes themselves",
    certifies="this network at the nodes of its graph that have no label",
    statement="probability over which nodes were labelled, a uniform draw without replacement; graph, features and labels are fixed",
    family="graph",
    problem=counted,
)
def transductive_vc(errors: Tensor, labelled_graph: LabelledGraph, *, log_delta: float) -> Bounded:
    r"""The exact hypergeometric tail, paid for every labelling that the architecture can give to this graph.

    .. math:: \max \{ K : P[\mathrm{Hypergeometric}(N, K, m) \le k] \ge \delta / \Pi \}, \quad e_u = (K - k)/u

    A labelling that was fixed before the draw has this bound exactly; there are at most :math:`\Pi` of them, counted by regions of
    the weights. One linear layer on few features is counted well. A hidden layer has more regions than the graph has labellings,
    and then any labelling is allowed: the value shown is :math:`e_m + \sqrt{(S Q / 2)(\ln \Pi + \ln 1/\delta)}`, above 1, which
    says by how much. How nodes are diffused does not enter.

    Args:
        errors: 0-1 errors at labelled nodes, ``[M, m]``.
        labelled_graph: Sizes.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, risks = counted(np.random.default_rng(0), 2)
        >>> value = transductive_vc(**needs, log_delta=np.log(0.05)).value
        >>> bool((risks < value).all() and (value < 1).all())
        True
    """
    graph = labelled_graph
    m, u = graph.labelled, graph.unlabelled
    labellings = log_graph_labellings(m + u, graph.parameters, graph.units, graph.classes)
    wrong = errors.double().cpu().numpy()
    exact = unlabelled_errors_upper(wrong.sum(1).astype(np.int64), m, u, log_delta - labellings)
    loose = (wrong.mean(1) + width(m, u, labellings - log_delta)) * (1 + 1e-9)
    each = np.ones_like(exact)
    return Bounded(
        value=np.where(exact < 1, exact, np.maximum(loose, 1.0)),
        steps=(("no labelling of the graph by this architecture errs so much more at the other nodes", 1.0),),
        empirical_risk=wrong.mean(1),
        examples=m,
        loss="0-1 error at nodes without a label",
        data={
            "bound": f"all {m} labelled nodes, assumed to be a uniform draw without replacement from {m + u}",
            "assumption": "graph, features, diffusion and architecture were fixed before the draw",
        },
        terms={
            "log of the labellings": labellings * each,
            "log of all labellings": (m + u) * np.log(graph.classes) * each,
        },
    )
