"""The shape of the layers' spectra beyond their tails: what noise explains, how spread out they are, what is missing."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance
Noise = tuple[Tensor, Tensor, Tensor]  # spikes, edge, soft rank

INVARIANCES = ("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order", "layer-rescaling")
ALL_SHORT = "no layer is one matrix of ten eigenvalues or more that are not all zero"


def mean(numbers: list[Tensor]) -> Tensor:
    """Mean of those that are numbers.

    Args:
        numbers: One a layer; NaN where a layer has none.

    Returns:
        The mean; NaN if there is no number.
    """
    if not numbers:
        return torch.tensor(float("nan"))
    together = torch.stack([number.double() for number in numbers])
    # infinity is a number here, such as the logarithm of zero: only what is absent is left out
    return together.nansum() / (~together.isnan()).sum()


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, section 3; Johnstone 2001; Kritchman & Nadler 2008",
         direction=Direction.NEITHER, undefined=ALL_SHORT, invariances=INVARIANCES)  # fmt: skip
def spikes(bulks: Mapping[str, Noise]) -> Tensor:
    r"""Mean over layers of the number of eigenvalues beyond the bulk that noise explains.

    .. math:: \frac1d \sum_j \#\{k : \lambda_1, \ldots, \lambda_k \text{ all exceed } \hat\sigma^2 (\mu + 0.9793\, s)\}

    edge mu and allowance s of Tracy and Widom for a matrix of that shape, the variance taken from the eigenvalues that are
    not yet spikes; a layer of independent entries has a spike in about 5 % of cases. Layers of fewer than ten eigenvalues,
    grouped convolutions and low-rank updates are left out. It cannot see what a spike stands for: rows of unequal norm make
    spikes too, without any learning.

    Args:
        bulks: Layer's name -> spikes, edge, soft rank.

    Returns:
        The mean.

    Example:
        >>> one, two = ((torch.tensor(count), torch.tensor(1.0), torch.tensor(0.5)) for count in (1.0, 4.0))
        >>> spikes({"a": one, "b": two}).item()
        2.5
    """
    return mean([torch.where(noise[2].isnan(), noise[2], noise[0]) for noise in bulks.values()])


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, eq. (11)", direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0),
         undefined=ALL_SHORT, invariances=INVARIANCES)  # fmt: skip
def mp_soft_rank(bulks: Mapping[str, Noise]) -> Tensor:
    r"""Mean over layers of the edge of the Marchenko-Pastur bulk over the largest eigenvalue.

    .. math:: \frac1d \sum_j \min(1, \lambda^+_j / \lambda_{max,j}), \quad \lambda^+ = \hat\sigma^2 (\sqrt{n - k} + \sqrt{p - k})^2

    k being the spikes and the variance that of the other eigenvalues. 1 where nothing stands out of the bulk; it cannot be
    above 1, as it is in fits by the eye of a density. Layers as in ``spikes``.

    Args:
        bulks: Layer's name -> spikes, edge, soft rank.

    Returns:
        The mean.

    Example:
        >>> round(mp_soft_rank({"a": tuple(torch.tensor([1.0, 2.0, 0.25]))}).item(), 6)
        0.25
    """
    return mean([noise[2] for noise in bulks.values()])


@measure(source="Martin, Peng & Mahoney 2021, Nature Communications 12, 4122: log alpha-norm",
         direction=Direction.HIGHER_IS_WORSE, range=(float("-inf"), float("inf")), unit_of_value="log10",
         undefined="no layer has the ten eigenvalues that the fit of a tail needs",
         invariances=("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order"))  # fmt: skip
def log_alpha_norm(tails: Mapping[str, Fit], block_spectra: dict[str, Tensor]) -> Tensor:
    r"""Mean over layers of the decimal logarithm of the sum of eigenvalues to the power of their own tail exponent.

    .. math:: \frac1d \sum_j \log_{10} \sum_i \lambda_{ji}^{\alpha_j}

    For large exponents it is ``alpha-weighted``. It is no norm that two networks share: the exponent differs between them.

    Args:
        tails: Layer's name -> fit.
        block_spectra: Layer's name -> singular values in descending order.

    Returns:
        The mean over layers with an exponent.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (2.0, 0.5, 1.0, 16.0, 0.1))
        >>> round(log_alpha_norm({"a": fit}, {"a": torch.tensor([3.0, 19.0**0.25])}).item(), 6)  # 81 + 19 = 100
        2.0
    """
    logs = {layer: 2 * block_spectra[layer].double().log() for layer in tails}
    return mean([(fit[0] * logs[layer]).logsumexp(-1) / torch.tensor(10.0).log() for layer, fit in tails.items()])


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, section 2: generalised von Neumann entropy",
         direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0), invariances=INVARIANCES,
         undefined="no layer has a rank above 1")  # fmt: skip
def matrix_entropy(block_spectra: dict[str, Tensor], rank_floors: dict[str, float]) -> Tensor:
    r"""Mean over layers of how evenly their squares are spread over directions: 1 for an orthogonal matrix, near 0 for one direction.

    .. math:: -\frac1{\ln r} \sum_i p_i \ln p_i, \qquad p_i = \sigma_i^2 / \sum_j \sigma_j^2, \quad r = \operatorname{rank}

    Layers of rank 0 or 1 have none and are left out. It cannot see which directions they are, nor any scale.

    Args:
        block_spectra: Layer's name -> singular values in descending order.
        rank_floors: Layer's name -> share of the largest singular value below which another is rounding.

    Returns:
        The mean.

    Example:
        >>> values = {"a": torch.tensor([2.0, 2.0, 0.0]), "b": torch.tensor([5.0, 0.0])}
        >>> round(matrix_entropy(values, {"a": 1e-6, "b": 1e-6}).item(), 6)
        1.0
    """
    entropies = []
    for layer, values in block_spectra.items():
        squares = torch.where(values > rank_floors[layer] * values[0], values.double().square(), 0.0)
        rank = (squares > 0).sum()
        share = squares / squares.sum()
        entropy = -torch.where(share > 0, share * torch.where(share > 0, share, 1.0).log(), 0.0).sum()
        faulty = values.isnan().any()
        entropies.append(torch.where((rank > 1) & ~faulty, entropy / rank.clamp(min=2).log(), float("nan")))
    return mean(entropies)


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, section 2: rank loss; numerical rank of LAPACK and NumPy",
         direction=Direction.NEITHER, range=(0.0, 1.0), invariances=INVARIANCES,
         undefined="no parameter is a matrix")  # fmt: skip
def rank_loss(block_spectra: dict[str, Tensor], rank_floors: dict[str, float]) -> Tensor:
    r"""Mean over layers of the share of singular values that are zero up to rounding.

    .. math:: \frac1d \sum_j \left(1 - \operatorname{rank}(W_j) / R_j\right), \qquad
        \operatorname{rank}(W) = \#\{i : \sigma_i > \epsilon \max(m, n)\, \sigma_1\}

    R being the smaller side and epsilon the rounding of the weights' precision. Random matrices have full rank; units that died or
    directions that weight decay removed count here. It cannot see directions that are small but larger than rounding.

    Args:
        block_spectra: Layer's name -> singular values in descending order.
        rank_floors: Layer's name -> share of the largest singular value below which another is rounding.

    Returns:
        The mean.

    Example:
        >>> rank_loss({"a": torch.tensor([2.0, 1.0, 1e-9, 0.0])}, {"a": 1e-6}).item()
        0.5
    """
    lost = [
        torch.where(values.isnan(), values, (values <= rank_floors[layer] * values[0]).to(values)).mean()
        for layer, values in block_spectra.items()
    ]
    return mean(lost)
