"""Influence of single examples: how much the network rests on each, by the classical route of Koh and Liang."""

import numpy as np
import torch

from heldout.catalog import measure, profile
from heldout.engine.evidence.influences import Influences
from heldout.records import Direction, Estimate, estimate

KOH = "Koh and Liang 2017, arXiv 1703.04730, eq. (2), with the Gauss-Newton matrix for the Hessian"
FLOAT32 = "solutions hold to a residual of 1e-3, from products in float32; tests/engine/evidence/test_influences.py checks them"
LOOSE = {"is-the-same-alone": FLOAT32, "is-the-same-in-chunks": FLOAT32}
MEMBERS = 8  # of a profile
ENDS = 25  # examples at either end of it
NOTHING = "no example's gradient is different from zero"


@measure(source=f"{KOH}; its mean is the penalty of Takeuchi 1976, tr(H^-1 F) / n; memorisation as Feldman and Zhang 2020, eq. (1)",
         direction=Direction.HIGHER_IS_WORSE, waives=LOOSE)  # fmt: skip
def mean_self_influence(self_influences: Influences) -> Estimate:
    r"""What leaving an example out would add to the loss on it, to first order, on average over examples.

    .. math:: \frac1n \sum_{i} \frac1N \, g_i^T (G + \lambda I)^{-1} g_i, \quad g_i = \nabla_w \ell_i, \quad
        \lambda = 0.01 \, \lambda_{\max}(G)

    It foretells the gap between leave-one-out and training loss, the stability that bounds the generalization gap, and is
    Feldman's memorisation with the loss for the error. First order in 1 / N: for least squares it is 2 h r^2, h the
    leverage and r the residual, where the truth is r^2 ((1 - h)^-2 - 1); it says too little of what is fitted exactly, whose
    gradients vanish. The damping cuts directions in which the loss is flat.

    Args:
        self_influences: Of 12 examples drawn at random.

    Returns:
        The mean with its standard error over the draw; withdrawn where a solution has not settled in 60 steps.

    Example:
        >>> found = Influences(torch.tensor([1.0, 3.0]), torch.tensor([0, 1]), torch.tensor([True, True]), total=4)
        >>> mean_self_influence(found).value.item()
        2.0
    """
    values, total = self_influences.values.double(), self_influences.total
    drawn = values.shape[0]
    mean = values.mean()
    spread = (values - mean).square().sum() / max(1, drawn - 1)
    missing = 1 - drawn / total  # of a finite population: nothing is left to chance where all are drawn
    error = (missing * spread / drawn).sqrt()
    return estimate(mean, standard_error=error, converged=self_influences.settled.all() | mean.isnan())


@measure(source=f"{KOH}; participation ratio of Bell and Dean 1970", direction=Direction.NEITHER, range=(0.0, 1.0),
         undefined=NOTHING, waives=LOOSE)  # fmt: skip
def influential_share(test_influences: Influences) -> Estimate:
    r"""Share of the training examples that the test loss rests on.

    .. math:: \frac1N \frac{\big(\sum_i |I_i|\big)^2}{\sum_i I_i^2}, \quad
        I_i = \frac1N \, \bar g_{\mathrm{test}}^T (G + \lambda I)^{-1} g_i

    1 where all examples move the test loss alike, 1 / N where one does it alone. It looks at how uneven the influences are, not how
    large; for which examples, see the profile ``example-influences``.

    Args:
        test_influences: Of every training example on the mean test loss.

    Returns:
        The share; withdrawn where the solution has not settled.

    Example:
        >>> alike = torch.tensor([1.0, -1.0, 0.0, 0.0])
        >>> influential_share(Influences(alike, torch.arange(4), torch.ones(4, dtype=torch.bool), total=4)).value.item()
        0.5
    """
    values = test_influences.values.double().abs()
    scaled = values / values.amax()  # squares of small numbers vanish; all zero gives NaN
    share = scaled.sum().square() / scaled.square().sum() / test_influences.total
    return estimate(share, converged=test_influences.settled.all() | share.isnan())


@measure(source=f"{KOH}, section 2.2: the most harmful and most helpful examples", direction=Direction.HIGHER_IS_WORSE,
         waives=LOOSE)  # fmt: skip
def largest_influence(test_influences: Influences) -> Estimate:
    r"""Largest change of the mean test loss that leaving one training example out would make, to first order.

    .. math:: \max_i \frac1N \big|\bar g_{\mathrm{test}}^T (G + \lambda I)^{-1} g_i\big|

    How far a single example can move what is learnt: the leave-one-out stability of the test loss at its worst over this sample.

    Args:
        test_influences: Of every training example on the mean test loss.

    Returns:
        The largest magnitude; withdrawn where the solution has not settled.

    Example:
        >>> two = Influences(torch.tensor([1.0, -3.0]), torch.arange(2), torch.tensor([True, True]), total=2)
        >>> largest_influence(two).value.item()
        3.0
    """
    value = test_influences.values.double().abs().amax()
    return estimate(value, converged=test_influences.settled.all() | value.isnan())


@profile(source=KOH)
def example_influences(test_influences: Influences) -> dict[str, np.ndarray]:
    """The 25 training examples that help the mean test loss most, and the 25 that harm it most, of the first eight members.

    Args:
        test_influences: ``[M, N]``.

    Returns:
        Columns member, example, influence (what leaving it out would add to the mean test loss) and settled, most helpful first.

    Example:
        >>> values = torch.tensor([[0.5, -1.0, 2.0]])
        >>> found = Influences(values, torch.arange(3).expand(1, 3), torch.ones(1, 3, dtype=torch.bool), total=3)
        >>> example_influences(found)["example"].tolist()
        [2, 0, 1]
    """
    return listed(test_influences, "influence", ENDS)


@profile(source=KOH)
def self_influence(self_influences: Influences) -> dict[str, np.ndarray]:
    """What leaving an example out would add to the loss on it, of the first eight members and 12 examples drawn at random.

    Args:
        self_influences: ``[M, 12]``.

    Returns:
        Columns member, example, self_influence and settled, largest first.

    Example:
        >>> found = Influences(torch.tensor([[0.5, 1.0]]), torch.tensor([[7, 3]]), torch.ones(1, 2, dtype=torch.bool), total=9)
        >>> self_influence(found)["example"].tolist()
        [3, 7]
    """
    return listed(self_influences, "self_influence", self_influences.values.shape[1])


def listed(found: Influences, name: str, ends: int) -> dict[str, np.ndarray]:
    """Examples in the order of their influence, from both ends.

    Args:
        found: ``[M, n]``.
        name: Of the column.
        ends: How many at either end.

    Returns:
        The table.
    """
    values, order = found.values[:MEMBERS].double().sort(1, descending=True)
    count = values.shape[1]
    kept = torch.arange(count, device=values.device)
    kept = kept[(kept < ends) | (kept >= count - ends)]
    members = torch.arange(len(values), device=values.device).unsqueeze(1).expand(-1, len(kept))
    columns = {
        "member": members,
        "example": found.examples[:MEMBERS].gather(1, order)[:, kept],
        name: values[:, kept],
        "settled": found.settled[:MEMBERS].gather(1, order)[:, kept],
    }
    return {key: column.flatten().cpu().numpy() for key, column in columns.items()}
