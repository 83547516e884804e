"""Whether the network labels mixtures within a class as that class: mixtures of inputs, or of what hidden layers give."""

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.hidden_mixing import HiddenMixup
from heldout.engine.evidence.mixing import MixupOutcomes
from heldout.records import Direction, Estimate, estimate


@measure(
    source="Natekar & Sharma 2020, arXiv 2012.02775",
    direction=Direction.HIGHER_IS_BETTER,
    range=(0.0, 1.0),
    undefined="no class has two training examples",
    invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale"),
)
def label_wise_mixup(mixup_correct: MixupOutcomes) -> Estimate:
    r"""Accuracy on half-and-half mixtures of training examples of one class.

    .. math:: \frac1N \sum_i \mathbb 1\Bigl[\arg\max f\bigl(\tfrac12 x_i + \tfrac12 x_{\pi(i)}\bigr) = y_i\Bigr],
        \quad y_{\pi(i)} = y_i

    The winners averaged over all pairs of a class; here every example meets one random other of its class, each pair being as
    likely as any, so that the mean over draws is that over all pairs. An example without a partner is left out. The standard
    error is binomial. It cannot see what happens between classes, and says little where averages of inputs are no inputs.

    Args:
        mixup_correct: What the network says of mixed inputs.

    Returns:
        Accuracy and standard error; NaN where no example has a partner.

    Example:
        >>> import torch
        >>> outcomes = MixupOutcomes(torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0]), torch.tensor([1.0, 1, 1, 1, 0]))
        >>> label_wise_mixup(outcomes).value.item()
        0.75
    """
    correct, counted = mixup_correct
    n: Tensor = counted.sum()
    accuracy = (correct * counted).sum() / n
    return estimate(accuracy, standard_error=(accuracy * (1.0 - accuracy) / n).sqrt())


@measure(
    source="Natekar & Sharma 2020, arXiv 2012.02775: manifold mixup; the mixtures of Verma et al. 2019, arXiv 1806.05236",
    direction=Direction.HIGHER_IS_BETTER,
    range=(0.0, 1.0),
    undefined="no class has two training examples",
    invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale"),
)
def manifold_mixup(hidden_mixup: HiddenMixup) -> Estimate:
    r"""Accuracy on half-and-half mixtures within a class of what a hidden layer gives, mean over the layers.

    .. math:: \frac1{nL} \sum_{i, l} \mathbb 1\Bigl[\arg\max
        f_{>l}\bigl(\tfrac12 h_l(x_i) + \tfrac12 h_l(x_{\pi(i)})\bigr) = y_i\Bigr], \quad y_{\pi(i)} = y_i

    f_{>l} is the network from layer l on. Layers that a skip connection passes by are left out. It works where inputs are tokens:
    the first layer is then the embedding. It cannot see what happens between classes; close to the outputs, where classes are
    convex, it is 1 for any network that fits.

    Args:
        hidden_mixup: What the network says of at most 500 mixtures at each of at most 8 layers.

    Returns:
        Accuracy, with its standard error over the examples; NaN where no example has a partner.

    Example:
        >>> from heldout.engine.evidence.hidden_mixing import HiddenMixup
        >>> layers = {"0": torch.tensor([1.0, 0.0, 0.0]), "2": torch.tensor([1.0, 1.0, 0.0])}
        >>> manifold_mixup(HiddenMixup(layers, torch.tensor([1.0, 1.0, 0.0]))).value.item()
        0.75
    """
    counted = hidden_mixup.counted
    share = torch.stack(list(hidden_mixup.correct.values())).mean(0)
    n = counted.sum()
    accuracy = (share * counted).sum() / n
    spread = ((share - accuracy).square() * counted).sum() / (n - 1.0)
    return estimate(accuracy, standard_error=(spread / n).sqrt())


@profile(source="Natekar & Sharma 2020, arXiv 2012.02775: manifold mixup, layer by layer")
def manifold_mixup_by_layer(hidden_mixup: HiddenMixup) -> dict[str, list[int] | list[str] | list[float]]:
    """Accuracy on half-and-half mixtures within a class of what each hidden layer gives.

    Args:
        hidden_mixup: What the network says of the mixtures, ``[M, n]`` a layer.

    Returns:
        Columns ``member``, ``layer`` (the module that gives the representation, or receives it) and ``accuracy``.

    Example:
        >>> from heldout.engine.evidence.hidden_mixing import HiddenMixup
        >>> manifold_mixup_by_layer(HiddenMixup({"0": torch.tensor([[1.0, 0.0]])}, torch.ones(1, 2)))
        {'member': [0], 'layer': ['0'], 'accuracy': [0.5]}
    """
    counted = hidden_mixup.counted
    table = torch.stack([(c * counted).sum(-1) / counted.sum(-1) for c in hidden_mixup.correct.values()], dim=1)
    members, layers = table.shape
    return {
        "member": [member for member in range(members) for _ in range(layers)],
        "layer": list(hidden_mixup.correct) * members,
        "accuracy": table.flatten().tolist(),
    }
