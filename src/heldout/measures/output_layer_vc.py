"""The VC dimension of the last layer, by the norm of its weights."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.output_layer import OutputLayer
from heldout.records import Direction, Estimate, estimate

LEE = "Lee and Cherkassky 2022, arXiv 2205.15549 (second descent); Vapnik 1995, theorem 5.1"
NO_MARGIN = (
    "the 10th percentile of the training margins is not positive: over a tenth of the training data is misclassified"
)
SAME = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift")


@measure(source=LEE, direction=Direction.HIGHER_IS_WORSE, range=(1.0, float("inf")), invariances=SAME)
def output_layer_vc(output_layer: OutputLayer) -> Estimate:
    r"""Vapnik's estimate of the VC dimension of the last layer, for outputs that were fitted to one-hot targets.

    .. math:: h = \min\big(R^2 \max_{a < b} \|w_a - w_b\|_2^2,\ F\big) + 1

    R is the radius of the smallest ball around what the layer receives of at most 1000 training examples, F their number of
    entries, w a row of its weights. The norm counts hyperplanes whose margin is 1, so the outputs should be near their targets
    (a squared error): ``output-layer-vc-over-margin`` is for logits. It cannot see the layers below, which were fitted too.

    Args:
        output_layer: Its weights and the ball.

    Returns:
        The estimate; R is at most half a percent too large, and withdrawn where that is not reached.

    Example:
        Two classes told apart by one feature, ``|w_1 - w_0| = 2``, in a ball of radius 1/2: min(1, 5) + 1.

        >>> weights = torch.tensor([[-1.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]])
        >>> output_layer_vc(OutputLayer(weights, torch.tensor(0.25), torch.tensor(True))).value.item()
        2.0
    """
    return estimate(
        capacity(output_layer, torch.ones_like(output_layer.squared_radius)), converged=output_layer.settled
    )


@measure(source=LEE, direction=Direction.HIGHER_IS_WORSE, range=(1.0, float("inf")), undefined=NO_MARGIN,
         invariances=(*SAME, "logit-scale"))  # fmt: skip
def output_layer_vc_over_margin(output_layer: OutputLayer, margin_10th_percentile: Tensor) -> Estimate:
    r"""The same for hyperplanes of the margin that nine tenths of the training data have.

    .. math:: h = \min\big(R^2 \max_{a < b} \|w_a - w_b\|_2^2 \,/\, \gamma^2,\ F\big) + 1

    Args:
        output_layer: Its weights and the ball.
        margin_10th_percentile: Gamma.

    Returns:
        The estimate; NaN where the margin is not positive.

    Example:
        >>> weights = torch.tensor([[-1.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]])
        >>> layer = OutputLayer(weights, torch.tensor(0.25), torch.tensor(True))
        >>> output_layer_vc_over_margin(layer, torch.tensor(0.5)).value.item()
        5.0
    """
    square = torch.where(margin_10th_percentile > 0, margin_10th_percentile.square(), float("nan"))
    return estimate(capacity(output_layer, square), converged=output_layer.settled)


def capacity(layer: OutputLayer, squared_margin: Tensor) -> Tensor:
    """The estimate for hyperplanes of a margin.

    Args:
        layer: The last layer on its inputs.
        squared_margin: Of the hyperplanes.

    Returns:
        One number.
    """
    rows = layer.weights
    gram = rows @ rows.T
    apart = gram.diagonal().unsqueeze(0) + gram.diagonal().unsqueeze(1) - 2 * gram
    ratio = layer.squared_radius * apart.amax() / squared_margin
    return ratio.clamp(max=float(rows.shape[1])) + 1.0
