"""The distribution of the weights, tensor by tensor."""

from typing import Any

from heldout.catalog import profile
from heldout.engine.evidence.weight_statistics import STATISTICS, WeightStatistics


@profile(source="Unterthiner et al. 2020, arXiv 2002.11448: the features from which accuracy is predicted")
def weight_table(weight_statistics: WeightStatistics) -> dict[str, list[Any]]:
    """Mean, standard deviation and five percentiles of every parameter tensor: kernels and biases apart, as they were trained.

    Args:
        weight_statistics: Values ``[M, features]`` with the features' names.

    Returns:
        One row a member and parameter.

    Example:
        >>> import torch
        >>> names = tuple(f"bias:{statistic}" for statistic in STATISTICS)
        >>> weight_table(WeightStatistics(torch.arange(7.0)[None], names))["median"]
        [4.0]
    """
    members, features = weight_statistics.values.shape
    count = len(STATISTICS)
    tensors = [name.rpartition(":")[0] for name in weight_statistics.names[::count]]
    each = weight_statistics.values.reshape(members, features // count, count)
    return {
        "member": [member for member in range(members) for _ in tensors],
        "parameter": tensors * members,
        **{statistic: each[:, :, place].flatten().tolist() for place, statistic in enumerate(STATISTICS)},
    }
