"""The generalization funnel: the layer where seen and unseen examples look most alike, and what follows from it."""

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.evidence.chains import Link
from heldout.engine.evidence.layer_laws import Floats, LayerDivergences
from heldout.records import Bounded, Status

CERTIFIES = "networks trained like this one, on average over samples"
DATA = {
    "divergences": "training and test examples with their labels",
    "assumption": "both are draws of one distribution",
}


@bound(
    source="He and Goldfeld 2024 (arXiv 2404.03176), the Wasserstein form; ramp loss and class-wise sliced distance put in here",
    certifies=CERTIFIES,
    statement="an expectation over samples; the sliced distance is below the distance of the theorem; no probability is attached",
    family="information",
    standing=Status.CORRELATE,
)
def generalization_funnel(
    layer_divergences: LayerDivergences, chain: tuple[Link, ...], margins: Tensor, margin_10th_percentile: Tensor, errors: Tensor,
    *, log_delta: float,
) -> Bounded:  # fmt: skip
    r"""Ramp loss on the training examples plus the least that the distance of a layer's laws can make of it on the way up.

    .. math:: R \le \frac1n \sum_i r_\gamma(m_i) + \frac{\sqrt2}{\gamma} \min_l \prod_{j > l} \|W_j\| \, W_1(T_l, Y; T'_l, Y')

    The ramp falls from 1 at margin 0 to 0 at gamma, the 10th percentile of the margins; a margin moves by at most root 2 times the
    scores. With the sliced distance in place of W_1 the number is too small by up to the root of a layer's width; with a sample's
    distance, which is above 0 by chance, it is too large. It is no bound: of networks that memorised random labels it has been seen
    below the risk. The layers above stretch by their spectral norms in chains only.

    Args:
        layer_divergences: Of all layers.
        chain: The layers; other networks have none.
        margins: Of the training examples, ``[M, N]``.
        margin_10th_percentile: gamma, ``[M]``.
        errors: 0-1 errors on them, ``[M, N]``.
        log_delta: Not used.

    Returns:
        The numbers and their account; infinite where gamma is not above 0.

    Example:
        >>> import torch
        >>> row = np.array([[0.2, 0.5]])
        >>> known = LayerDivergences(("input", "output"), row, row, row, row, row, row, np.array([[4.0, 1.0]]), (9, 9))
        >>> wide, gamma = torch.full((1, 5), 10.0), torch.tensor([5.0])
        >>> said = generalization_funnel(known, (), wide, gamma, torch.zeros(1, 5), log_delta=-3.0)
        >>> print(f"{said.value[0]:.3f} at layer {said.terms['funnel'][0]:.0f}")
        0.141 at layer 1
    """
    gamma = margin_10th_percentile.double().cpu().numpy()
    safe = np.where(gamma > 0, gamma, np.nan)
    ramp = np.clip(1 - margins.double().cpu().numpy() / safe[:, None], 0.0, 1.0).mean(1)
    amplified = layer_divergences.product * layer_divergences.wasserstein
    funnel, rows = _least(amplified), np.arange(len(gamma))
    gap = np.sqrt(2.0) / safe * amplified[rows, funnel]
    by_chance = (
        np.sqrt(2.0) / safe * (layer_divergences.product * layer_divergences.wasserstein_by_chance)[rows, funnel]
    )
    value = np.where(gamma > 0, ramp + gap, np.inf)
    return Bounded(
        value=value,
        steps=(),
        empirical_risk=errors.double().cpu().numpy().mean(1),
        examples=margins.shape[1],
        data=DATA,
        terms={
            "gap": np.nan_to_num(gap, nan=np.finfo(np.float64).max),
            "gap by chance": np.nan_to_num(by_chance, nan=np.finfo(np.float64).max),
            "ramp loss": np.nan_to_num(ramp, nan=1.0),
            "margin": gamma,
            "distance": layer_divergences.wasserstein[rows, funnel],
            "product of norms above": layer_divergences.product[rows, funnel],
            "funnel": funnel.astype(np.float64),
            "layers": np.full(len(gamma), float(len(layer_divergences.layers))),
        },
    )


@bound(
    source="He and Goldfeld 2024 (arXiv 2404.03176), the Kullback-Leibler form; for the mixture over examples derived here",
    certifies=CERTIFIES,
    statement="an expectation over samples, its divergence estimated by nearest neighbours; no probability is attached",
    family="information",
    standing=Status.CORRELATE,
)
def layer_kullback_leibler(layer_divergences: LayerDivergences, errors: Tensor, *, log_delta: float) -> Bounded:
    r"""Training error plus what the divergence of the outputs' laws on seen and unseen examples allows, less that of chance.

    .. math:: |E[R - \hat R]| \le \sqrt{\tfrac12 \mathrm{KL}(P_{T_l, Y} \| P'_{T_l, Y})}

    P is the law of a seen example, the mixture over all n: of a loss in [0, 1] this is Pinsker's inequality, and convexity makes it
    at most the paper's mean over examples. By data processing the divergence cannot grow from layer to layer: the outputs give the
    least. The estimate obeys neither that nor any bound in many dimensions.

    Args:
        layer_divergences: Of all layers.
        errors: 0-1 errors on the training examples, ``[M, N]``.
        log_delta: Not used.

    Returns:
        The numbers and their account.

    Example:
        >>> import torch
        >>> row = np.array([[0.9, 0.28]])
        >>> known = LayerDivergences(("input", "output"), row, row, row, row, row * 0 + 0.1, row, row, (9, 9))
        >>> print(f"{layer_kullback_leibler(known, torch.zeros(1, 5), log_delta=-3.0).value[0]:.2f}")
        0.30
    """
    corrected = np.maximum(layer_divergences.divergence - layer_divergences.divergence_by_chance, 0.0)
    seen = errors.double().cpu().numpy().mean(1)
    gap = np.sqrt(corrected[:, -1] / 2)
    terms = {
        "gap": gap,
        "divergence": layer_divergences.divergence[:, -1],
        "divergence by chance": layer_divergences.divergence_by_chance[:, -1],
        "spread by chance": layer_divergences.divergence_spread[:, -1],
    }
    return Bounded(seen + gap, (), seen, errors.shape[1], data=DATA, terms=terms)


def _least(values: Floats) -> np.ndarray:
    return np.where(np.isnan(values), np.inf, values).argmin(1)
