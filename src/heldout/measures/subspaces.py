"""How few dimensions of weight space hold a solution, and how few bits hold the labels with it."""

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.records import Direction, Estimate, estimate

#: dimensions, accuracies, bits, bits of the start, accuracy of the start, accuracy of the network
Training = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]

MARK = 0.9  # of the network's own accuracy, Li et al. 2018
TRAINS = "it trains some networks for seconds: tests/engine/evidence/test_subspace_training.py does this on small ones"
DEAR = dict.fromkeys(
    ("has-one-number-a-member", "is-the-same-alone", "is-the-same-in-chunks", "stays-in-range"), TRAINS
)


@measure(source="Li et al. 2018, arXiv 1804.08838, section 2: d_int90, of training accuracy", direction=Direction.HIGHER_IS_WORSE,
         waives=DEAR)  # fmt: skip
def objective_dimension(subspace_training: Training) -> Estimate:
    r"""Intrinsic dimension of the objective: of the smallest random subspace around the start that holds nine tenths of the accuracy.

    .. math:: d_{90} = \min \{ d : \operatorname{accuracy}(w_0 + P_d \hat\theta_d) \ge 0.9 \operatorname{accuracy}(w) \}

    P_d being the first d columns of one random map with columns of length 1, and theta the result of 200 steps of Adam.
    Dimensions are powers of two up to twice the number of examples; between the last that fails and the first that passes, the
    crossing is read off a straight line in log d, and both are the ends of the interval. Accuracy is that on the training data:
    no test data are needed, and labels of noise need more dimensions. It belongs to start, architecture and data, and knows of
    the trained weights only their accuracy. One draw of the map: another seed moves it, by more than the line suggests.

    Args:
        subspace_training: Dimensions ``[K]``, accuracies and code lengths there, and those of the start and of the network.

    Returns:
        The dimension; not converged where none of them is enough.

    Example:
        >>> numbers = ([1.0, 2.0, 4.0], [0.4, 0.6, 1.0], [9.0, 9.0, 9.0], 9.0, 0.3, 1.0)
        >>> round(objective_dimension(tuple(torch.tensor(n, dtype=torch.float64) for n in numbers)).value.item(), 4)  # 2^1.75
        3.3636
    """
    dimensions, accuracies, _, _, start, own = subspace_training
    mark = MARK * own
    passing = accuracies >= mark
    first = passing.double().argmax(-1, keepdim=True)
    found, at_once = passing.any(-1), start >= mark
    upper, above = dimensions.gather(-1, first).squeeze(-1), accuracies.gather(-1, first).squeeze(-1)
    before = (first - 1).clamp(min=0)
    lower, below = dimensions.gather(-1, before).squeeze(-1), accuracies.gather(-1, before).squeeze(-1)
    inside = first.squeeze(-1) > 0
    share = torch.where(inside, (mark - below) / torch.where(above > below, above - below, 1.0), 1.0)
    crossing = torch.where(inside, lower * (upper / lower) ** share, upper)
    value = torch.where(at_once, 0.0, crossing)
    low, high = torch.where(inside & ~at_once, lower, 0.0), torch.where(at_once, 0.0, upper)
    faulty = accuracies.isnan().any(-1) | own.isnan()
    return estimate(torch.where(faulty, torch.nan, value), low=low, high=high, converged=found | at_once | faulty)


@measure(source="Blier & Ollivier 2018, arXiv 1802.07044, section 2.2 (two-part codes), with subspaces of Li et al. 2018",
         direction=Direction.HIGHER_IS_WORSE, unit_of_value="bits", waives=DEAR)  # fmt: skip
def description_length(subspace_training: Training) -> Tensor:
    r"""Bits of the shortest two-part code for the training labels: a network in a random subspace, then what it gets wrong.

    .. math:: L = 1 + \min_d \left[ L(\hat\theta_d) + \log_2 (N + 1) + \log_2 \binom{N}{k_d} + k_d \log_2 (C - 1) \right]

    The message of the coordinates is the compressor's, counted as coded: evenly spaced levels by arithmetic coding, with
    dimension, number of levels, their distance and their counts; k is the number of labels that the network decoded from it
    gets wrong. The untrained network needs no message. To be read beside ``N log2 C``, the labels without a network: above it
    nothing was compressed, which is usual for some hundred examples. A description by other means may be shorter.

    Args:
        subspace_training: As in ``objective-dimension``.

    Returns:
        The length.

    Example:
        >>> numbers = ([1.0, 2.0], [0.4, 0.6], [90.0, 80.0], 95.0, 0.3, 1.0)
        >>> description_length(tuple(torch.tensor(n) for n in numbers)).item()
        80.0
    """
    return torch.minimum(subspace_training[2].amin(-1), subspace_training[3])


@profile(source="Li et al. 2018, arXiv 1804.08838, figure 2; Blier & Ollivier 2018, arXiv 1802.07044")
def subspace_curve(subspace_training: Training) -> dict[str, list[float]]:
    """Training accuracy and length of the two-part code in random subspaces, by dimension; dimension 0 is the untrained network.

    Args:
        subspace_training: As in the measures, with a leading axis M.

    Returns:
        Columns member, dimension, accuracy, bits.

    Example:
        >>> numbers = ([[1.0]], [[0.75]], [[90.0]], [95.0], [0.5], [1.0])
        >>> subspace_curve(tuple(torch.tensor(n) for n in numbers))["accuracy"]
        [0.5, 0.75]
    """
    dimensions, accuracies, bits, start_bits, start, _ = subspace_training
    members, count = dimensions.shape
    together = {
        "dimension": torch.cat([torch.zeros_like(dimensions[:, :1]), dimensions], 1),
        "accuracy": torch.cat([start.unsqueeze(1), accuracies], 1),
        "bits": torch.cat([start_bits.unsqueeze(1), bits], 1),
    }
    member = [float(member) for member in range(members) for _ in range(count + 1)]
    return {"member": member, **{name: column.flatten().tolist() for name, column in together.items()}}
