"""Task difficulty: how much inductive bias it takes to generalize from these examples to that error."""

import math

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.class_separation import ClassSeparation
from heldout.engine.evidence.kernel_posteriors import KernelPosterior
from heldout.engine.evidence.local_dimension import by_likelihood
from heldout.engine.evidence.neighbours import Neighbours
from heldout.engine.numerics.band_limited import log_band_limited_bits
from heldout.engine.numerics.quadratic_forms import log_lower_tail
from heldout.records import Direction, Estimate, estimate

ANY = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")


@measure(source="Boopathy et al. 2023, Model-agnostic measure of generalization difficulty, arXiv 2305.01034, and its code",
         direction=Direction.NEITHER, range=(float("-inf"), float("inf")), invariances=ANY, unit_of_value="log10 bits",
         undefined="two classes share an input, the inputs have no dimension, or no bias is asked for at all")  # fmt: skip
def band_limited_difficulty(
    class_separation: ClassSeparation, data_neighbours: Neighbours, *, error: float = 0.1
) -> Estimate:
    r"""Decimal logarithm of the bits that pick out functions of this test error among band-limited ones that fit.

    .. math::
        I = D (2 c E - n) \log_2 \frac{\sqrt{D c} \, L W}{\varepsilon}, \quad
        E = \binom{m + K}{m} + \binom{m + K - 1}{m}, \quad K (K + m - 1) = (2 \pi R / \delta)^2

    m is the intrinsic dimension of the inputs, R their radius, delta the distance of the two nearest examples of different classes,
    c the classes, D = c - 1, n the examples; slope L and distance W to the nearest example follow from them. It speaks of the
    task alone, the same for every network, and of a ball of functions with no detail finer than delta, not of any learner.
    Take the order of magnitude and no more: E grows as (R / delta)^m, so that at m = 14 a fifth more radius makes it twelve
    times as large, and one dimension more makes it ten times or so. One mislabelled example next to another class sets delta.
    The radius is taken from the mean; the paper takes the data as they are.

    Args:
        class_separation: Distance of the classes, radius, counts.
        data_neighbours: Of the inputs, for m.
        error: epsilon.

    Returns:
        The logarithm, with the standard error that comes from m.

    Example:
        Neighbours that make one dimension, F = 1 and K = 1: four coefficients, 16 numbers less two that are known, of
        ``log2(sqrt(2) * 1/sqrt(6) * 2 * pi * 2 / (2 * 0.1))`` bits each.

        >>> near = Neighbours(torch.tensor([[1.0] * 19 + [2.718281828459045]] * 4), torch.arange(4))
        >>> apart = ClassSeparation(torch.tensor(2 * math.pi), torch.tensor(1.0), examples=2, classes=2)
        >>> bits = 10 ** band_limited_difficulty(apart, near).value.item()
        >>> round(bits / ((4 * 3 - 2) * math.log2(2**0.5 * (1 / 6) ** 0.5 * 2 * math.pi * 2 / (2 * 0.1))), 6)
        1.0
    """
    dimension = by_likelihood(data_neighbours, data_neighbours.distances.shape[1])
    error_of = torch.where(dimension.standard_error.isfinite(), dimension.standard_error, 0.0)

    def at(m: Tensor) -> Tensor:
        found = log_band_limited_bits(
            m, class_separation.radius, class_separation.distance,
            examples=class_separation.examples, classes=class_separation.classes, error=error,
        )  # fmt: skip
        # two equal inputs make E infinite
        return torch.where(found.isfinite(), found / math.log(10), float("nan"))

    value = at(dimension.value)
    moved = (at(dimension.value + error_of) - at(dimension.value - error_of)).abs() / 2
    return estimate(value, standard_error=torch.where(dimension.standard_error.isfinite(), moved, float("nan")))


@measure(source="Boopathy et al. 2024, Towards exact computation of inductive bias, arXiv 2406.15941, with the tail by Imhof 1961",
         direction=Direction.HIGHER_IS_BETTER, invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation"),
         unit_of_value="nats", stacked="the tail is found by NumPy's complex arithmetic",
         undefined="no function of this space is so accurate, or the network is exact")  # fmt: skip
def kernel_inductive_bias(test_kernel_posterior: KernelPosterior, *, target: float | None = None) -> Estimate:
    r"""Inductive bias that the network's test error shows beyond a kernel's that fits the training data.

    .. math:: I = -\ln P\big(\mathrm{MSE}_{\mathrm{test}}(f) \le \varepsilon \,\big|\, f \text{ fits}\big), \quad
        f \sim \mathrm{GP}(\mu, S)

    The surprise that a function drawn from a Gaussian process given the training data is as accurate on the test data as the network.
    The test error of such functions is a quadratic form in Gaussians, whose tail is exact here at any depth. About 0.7 nats
    say that the network does as well as a typical function of that space. It cannot say where the bias comes from, and it
    depends on the kernel: a Gaussian one, as wide as the median distance and as high as is likeliest. Where labels are noise,
    functions that fit them exactly do badly, and a network that does not may show many nats. For classes the error is that
    of probabilities (Brier's, over C). With a fixed target it speaks of the task, the same for every network.

    Args:
        test_kernel_posterior: The quadratic form, and the networks' own error.
        target: epsilon; the network's own error unless given.

    Returns:
        The nats; withdrawn where the integral has not settled.

    Example:
        One exponential variable with mean 1 below ln 2 = 0.69...: a chance of one half.

        >>> form = KernelPosterior(torch.tensor([[0.5]]), torch.tensor([[0.0]]), torch.tensor([math.log(2)]), outputs=2)
        >>> round(kernel_inductive_bias(form).value.item() / math.log(2), 6)
        1.0
    """
    form = test_kernel_posterior
    level = form.own_error.double() if target is None else torch.full_like(form.own_error, target, dtype=torch.float64)
    parts = [part.double().cpu().numpy() for part in (level, form.variances, form.offsets)]
    found = log_lower_tail(*parts, repeats=form.outputs)
    nats = -torch.as_tensor(found.log_probability).to(level)
    return estimate(
        torch.where(nats.isfinite(), nats.abs(), float("nan")),
        converged=torch.as_tensor(found.settled).to(level.device),
    )
