"""Whether the predicted probabilities mean what they say, on test data."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.records import Direction, Estimate, estimate

SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")


@measure(source="Guo et al. 2017, eq. (3)", direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0),
         invariances=SAME_FUNCTION)  # fmt: skip
def expected_calibration_error(
    test_logits: Float[Tensor, "N C"], test_labels: Int[Tensor, " N"], *, bins: int = 15
) -> Tensor:
    r"""Mean distance between confidence and accuracy over bins of confidence, on the test data.

    .. math:: \sum_{b=1}^{B} \frac{n_b}{n} \bigl|\mathrm{acc}(b) - \mathrm{conf}(b)\bigr|, \quad
        b = \Bigl(\tfrac{b-1}{B}, \tfrac{b}{B}\Bigr]

    Confidence is the largest predicted probability. With few examples a bin the value is too large, even for perfect
    probabilities; and it cannot see errors of opposite sign inside one bin, nor the probabilities of the other classes.

    Args:
        test_logits: Class scores on the test data.
        test_labels: Test labels.
        bins: Number B of bins of equal width.

    Returns:
        The error.

    Example:
        Four predictions with confidence 1/2 of which one is right.

        >>> round(expected_calibration_error(torch.zeros(4, 2), torch.tensor([0, 1, 1, 1])).item(), 12)
        0.25
    """
    confidence, correct = _confidence(test_logits, test_labels)
    member_of = _bins(confidence, bins)
    return ((correct - confidence).unsqueeze(-2) @ member_of).abs().sum() / confidence.shape[-1]


@measure(source="Brier 1950", direction=Direction.HIGHER_IS_WORSE, range=(0.0, 2.0), invariances=SAME_FUNCTION)
def brier_score(test_logits: Float[Tensor, "N C"], test_labels: Int[Tensor, " N"]) -> Estimate:
    r"""Mean squared distance between predicted probabilities and the label, on the test data.

    .. math:: \frac1n \sum_i \sum_k \bigl(p_{ik} - \mathbb 1[y_i = k]\bigr)^2

    Summed over classes as Brier did, so that 2 is the worst; two-class forms with half of it are common. It mixes
    calibration with accuracy and cannot see them apart.

    Args:
        test_logits: Class scores on the test data.
        test_labels: Test labels.

    Returns:
        The score with its standard error.

    Example:
        >>> brier_score(torch.zeros(3, 2), torch.tensor([0, 1, 1])).value.item()
        0.5
    """
    probabilities = test_logits.double().softmax(-1)
    true = probabilities.gather(-1, test_labels.unsqueeze(-1)).squeeze(-1)
    scores = probabilities.square().sum(-1) - 2.0 * true + 1.0
    n = scores.shape[-1]
    spread = (scores - scores.mean()).square().sum()
    return estimate(scores.mean(), standard_error=(spread / (n - 1) / n).sqrt())


@profile(source="Guo et al. 2017, section 2: reliability diagram")
def reliability(
    test_logits: Float[Tensor, "M N C"], test_labels: Int[Tensor, "M N"], *, bins: int = 15
) -> dict[str, Tensor]:
    """Confidence and accuracy in bins of confidence, on the test data.

    Args:
        test_logits: Class scores on the test data.
        test_labels: Test labels.
        bins: Number of bins of equal width, open on the left and closed on the right.

    Returns:
        Columns ``member``, ``bin`` (from 0), ``confidence`` and ``accuracy`` (means, NaN in an empty bin) and
        ``examples``.

    Example:
        >>> table = reliability(torch.zeros(1, 4, 2), torch.tensor([[0, 1, 1, 1]]), bins=2)
        >>> table["examples"].tolist(), table["confidence"][0].item(), table["accuracy"][0].item()
        ([4, 0], 0.5, 0.25)
    """
    confidence, correct = _confidence(test_logits, test_labels)
    member_of = _bins(confidence, bins)
    count = member_of.sum(-2)
    return {
        "member": torch.arange(len(count)).repeat_interleave(bins),
        "bin": torch.arange(bins).repeat(len(count)),
        "confidence": ((confidence.unsqueeze(-2) @ member_of).squeeze(-2) / count).flatten(),
        "accuracy": ((correct.unsqueeze(-2) @ member_of).squeeze(-2) / count).flatten(),
        "examples": count.long().flatten(),
    }


def _confidence(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Largest probability of every example and whether its class is right; a tie goes to the first class."""
    confidence = logits.double().softmax(-1).amax(-1)
    return confidence, (logits.argmax(-1) == labels).double()


def _bins(confidence: Tensor, bins: int) -> Tensor:
    """One-hot bin of every example, ``[..., N, B]``."""
    edges = torch.arange(bins + 1, dtype=torch.float64, device=confidence.device) / bins
    edges[-1] = float("inf")  # a confidence of 1 may come out a rounding above it
    each = confidence.unsqueeze(-1)
    return ((each > edges[:-1]) & (each <= edges[1:])).double()
