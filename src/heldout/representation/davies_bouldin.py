"""How well classes are told apart in the representations: the index of Davies and Bouldin."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.mixing import MixupOutcomes
from heldout.records import Direction

CHUNK_BYTES = 64 * 2**20
NO_CLASSES = "there are fewer than two classes among the examples, or two classes have one and the same centre"


def index(features: Tensor, classes: Tensor) -> Tensor:
    """The index of one layer, from one-hot classes; NaN where it has no value.

    Args:
        features: ``[N, F]``.
        classes: ``[N, C]``, a column of zeros for a class without examples.

    Returns:
        The index.
    """
    x, weight = features.double(), classes.double()
    count = weight.sum(0)
    share = weight / count.clamp(min=1.0)
    centre = share.T @ x
    scatter = share.T @ (x - weight @ centre).norm(dim=-1)
    distance = torch.cdist(centre, centre, compute_mode="donot_use_mm_for_euclid_dist")
    present = count > 0
    pair = present.unsqueeze(0) & present.unsqueeze(1) & ~torch.eye(len(count), dtype=torch.bool, device=x.device)
    ratio = torch.where(pair, (scatter.unsqueeze(0) + scatter.unsqueeze(1)) / distance, 0.0)
    value = ratio.amax(1).sum() / present.sum()  # rows of absent classes are 0
    defined = (present.sum() >= 2) & (~pair | (distance > 0)).all()
    return torch.where(defined, value, float("nan"))


@measure(source="Davies & Bouldin 1979; Natekar & Sharma 2020, arXiv 2012.02775", direction=Direction.HIGHER_IS_WORSE,
         undefined=NO_CLASSES, invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation",
         "logit-shift", "logit-scale"))  # fmt: skip
def davies_bouldin(representations: dict[str, Tensor], representation_classes: Float[Tensor, "N C"]) -> Tensor:
    r"""Davies-Bouldin index of the classes in the first hidden representation of the training data.

    .. math:: \frac1C \sum_i \max_{j \ne i} \frac{s_i + s_j}{\|c_i - c_j\|}

    ``c_i`` is the centre of class i, ``s_i`` the mean distance of its examples to it; 0 for classes of one point each. A
    class without examples is left out. It cannot see classes that several separate clusters make up.

    Args:
        representations: Layer's name -> ``[N, F]``, the first hidden one first.
        representation_classes: Their classes, one-hot.

    Returns:
        The index; NaN where it has no value.

    Example:
        Two classes, each 1 from its centre, the centres 4 apart: (1 + 1) / 4.

        >>> x = torch.tensor([[-1.0], [1.0], [3.0], [5.0]])
        >>> davies_bouldin({"a": x}, torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])).item()
        0.5
    """
    return index(next(iter(representations.values())), representation_classes)


@measure(source="Natekar & Sharma 2020, arXiv 2012.02775 (winner of PGDL)", direction=Direction.HIGHER_IS_WORSE,
         undefined=f"{NO_CLASSES}, or no class has two training examples", invariances=("layer-rescaling",
         "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale"))  # fmt: skip
def davies_bouldin_mixup(
    representations: dict[str, Tensor], representation_classes: Float[Tensor, "N C"], mixup_correct: MixupOutcomes
) -> Tensor:
    r"""Davies-Bouldin index times the error on mixtures within a class: the score that won the PGDL competition.

    .. math:: \mathrm{DB} \cdot (1 - \mathrm{mixup\ accuracy})

    The winners averaged ten evaluations on 120 examples and all pairs; here the index stands on one larger sample and
    every example meets one partner. Their published code pools maps by windows of 4 x 4 instead of to 4 x 4, and takes the mean
    over j where the index takes the maximum. It is 0 where every mixture is right, whatever the index says.

    Args:
        representations: Layer's name -> ``[N, F]``, the first hidden one first.
        representation_classes: Their classes, one-hot.
        mixup_correct: What the network says of mixed inputs.

    Returns:
        The product; NaN where a factor has no value.

    Example:
        >>> x, classes = torch.tensor([[-1.0], [1.0], [3.0], [5.0]]), torch.eye(2).repeat_interleave(2, 0)
        >>> outcomes = MixupOutcomes(torch.tensor([1.0, 0, 1, 0]), torch.ones(4))
        >>> davies_bouldin_mixup({"a": x}, classes, outcomes).item()
        0.25
    """
    correct, counted = mixup_correct
    return davies_bouldin(representations, representation_classes) * (1.0 - (correct * counted).sum() / counted.sum())


@profile(source="Davies & Bouldin 1979, layer by layer")
def davies_bouldin_by_layer(
    representations: dict[str, Tensor], representation_classes: Float[Tensor, "M N C"]
) -> dict[str, list[int] | list[str] | list[float]]:
    """Davies-Bouldin index of the classes in what every weight layer but the first receives.

    Args:
        representations: Layer's name -> ``[M, N, F]``.
        representation_classes: Their classes, one-hot.

    Returns:
        Columns ``member``, ``layer`` (the layer that receives the representation) and ``value``.

    Example:
        >>> x, classes = torch.tensor([[-1.0], [1.0], [3.0], [5.0]]), torch.eye(2).repeat_interleave(2, 0)
        >>> davies_bouldin_by_layer({"a": x.unsqueeze(0)}, classes.unsqueeze(0))
        {'member': [0], 'layer': ['a'], 'value': [0.5]}
    """
    values = []
    for features in representations.values():
        together = max(1, CHUNK_BYTES // (8 * features[0].numel()))
        values.append(torch.vmap(index, chunk_size=together)(features, representation_classes))
    table = torch.stack(values, dim=1)
    members, layers = table.shape
    return {
        "member": [member for member in range(members) for _ in range(layers)],
        "layer": list(representations) * members,
        "value": table.flatten().tolist(),
    }
