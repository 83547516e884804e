"""What the labels of some nodes of a graph say of the others: transductive Rademacher complexity, and counting."""

from math import sqrt
from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.graph_class import GraphClass
from heldout.engine.numerics.levels import risen
from heldout.engine.numerics.margin_bounds import MarginShares
from heldout.engine.numerics.paired_nodes import counting_upper, linear_weights, log_complexity, paired_upper
from heldout.records import Bounded

CERTIFIES = "this network on the unlabelled nodes of its graph"
STATEMENT = "probability over which nodes of the graph were labelled, for all weights at once"


def split_nodes(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: 4,000 nodes with a feature of +1 or -1 and labels by a coin, 2,000 drawn; the better sign is chosen.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true errors on the other nodes.
    """
    n, m = 4000, 2000
    agree = generator.hypergeometric(n // 2, n // 2, m, size=problems)  # labelled nodes that the sign + gets right
    plus = agree >= m - agree
    wrong = np.where(plus, m - agree, agree) / m
    levels = np.arange(-10.0, 5.0)
    shares = np.where(sqrt(2.0) ** levels >= 2.0 - 1e-9, 1.0, wrong[:, None])  # margins are +2 or -2
    logs, price = risen(np.log(np.full(problems, 2.0)), 2.0)
    complexity = log_complexity(np.exp(logs), linear_weights(np.ones((n, 1))), m, n - m)
    known = GraphClass(complexity, price, float(np.log(2)), m, n - m)
    return {"graph_class": known, "node_margin_shares": MarginShares(levels, shares, m)}, 1.0 - wrong


@bound(
    source="After El-Yaniv and Pechyony 2009 and Esser, Vankadara and Ghoshdastidar 2021; derived here by pairing",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="graph",
    problem=split_nodes,
)
def paired_rademacher(graph_class: GraphClass, node_margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Error on the unlabelled nodes from margins on the labelled ones and the complexity of the graph convolution.

    .. math:: \hat R_\gamma + \frac{2 \kappa}{\gamma} \sqrt{\frac{\sum_i g_i}{s n}}
        + \Big(\frac1m + \frac1u\Big) \sqrt{\frac{s}{2} \ln \frac1\delta}, \quad s = \min(m, u)

    The graph and its features are given and fixed; chance is only in which nodes were labelled. The graph enters through g: for a
    linear convolution :math:`g_i = \|(S X)_i\|^2`, so that averaging over neighbours with independent noise lowers the bound; a
    hidden layer takes the local norms of S.

    Args:
        graph_class: Of the networks.
        node_margin_shares: Of the labelled nodes.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = split_nodes(np.random.default_rng(0), 1)
        >>> bool(0.5 < paired_rademacher(**needs, log_delta=-3.0).value[0] < 1)
        True
    """
    m, u = graph_class.labelled, graph_class.others
    logs, price = graph_class.log_complexity, graph_class.price
    value, margin = paired_upper(node_margin_shares, logs, price, m, u, log_delta)
    return Bounded(
        value=value,
        steps=(
            ("norms and margin at their levels, each level with its share, for the draw of the labelled nodes", 1.0),
        ),
        empirical_risk=node_margin_shares.shares[:, 0],
        examples=m,
        data={"bound": f"{m} labelled nodes, drawn without replacement; {u} others"},
        terms={"margin": margin, "mean deviation at that margin": np.exp(logs) / margin, "nats for levels": price},
    )


@bound(
    source="Vapnik 1982 (transduction by counting); Esser et al. 2021, section 3; derived here by pairing",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="graph",
    problem=split_nodes,
)
def paired_counting(graph_class: GraphClass, node_margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""The same by counting the labellings of the graph that any weights give.

    .. math:: \hat R + \sqrt{\frac{2 \ln \Pi}{s}} + \Big(\frac1m + \frac1u\Big) \sqrt{\frac{s}{2} \ln \frac1\delta}

    For a linear convolution Pi is Sauer's sum with as many dimensions as features, whatever the graph is: counting sees neither its
    edges nor the margin. With a hidden layer it is soon :math:`2^n`, and the bound empty.

    Args:
        graph_class: Of the networks.
        node_margin_shares: Of the labelled nodes.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = split_nodes(np.random.default_rng(0), 1)
        >>> bool(0.5 < paired_counting(**needs, log_delta=-3.0).value[0] < 0.6)
        True
    """
    m, u = graph_class.labelled, graph_class.others
    risk = node_margin_shares.shares[:, 0]
    return Bounded(
        value=counting_upper(risk, graph_class.log_labellings, m, u, log_delta),
        steps=(("the draw of the labelled nodes, for every labelling", 1.0),),
        empirical_risk=risk,
        examples=m,
        data={"bound": f"{m} labelled nodes, drawn without replacement; {u} others"},
        terms={"log of the labellings": np.full(len(risk), graph_class.log_labellings)},
    )
