"""Order and chaos: how deep a signal reaches at initialisation, and whether a network that deep can be trained."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.signal_propagation import chi, depth_scale
from heldout.engine.population import Population
from heldout.engine.training import Recipe, errors, fit

BIAS = 0.05


class Deep(nn.Module):
    """A dense network of one width throughout, its weights drawn at given scales.

    Args:
        inputs: Entries of an input.
        width: Of every layer.
        depth: Hidden layers.
        classes: Outputs.
        weight: sigma_w: weights have its square over the fan-in.
        bias: sigma_b.
        relu: ReLU instead of tanh.
    """

    def __init__(
        self, inputs: int, width: int, depth: int, classes: int, weight: float, bias: float, relu: bool
    ) -> None:
        super().__init__()
        sizes = [inputs, *[width] * depth, classes]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = nn.ReLU() if relu else nn.Tanh()
        with torch.no_grad():
            for layer in self.layers:
                fan_in = int(layer.in_features)  # type: ignore[arg-type]
                layer.weight.normal_(0, weight / fan_in**0.5)  # type: ignore[operator]
                layer.bias.normal_(0, bias) if bias else layer.bias.zero_()  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        """Inputs to logits."""
        return self.layers[-1](self.hidden(x))

    def hidden(self, x: Tensor) -> Tensor:
        """The last hidden layer."""
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return x


def accuracy_at(table: pd.DataFrame, sigma: float) -> list[float]:
    """Training accuracy of tanh networks at one scale of the weights, seed by seed."""
    rows = table[(table.activation == "tanh") & np.isclose(table.sigma, sigma)]
    return list(rows.sort_values("member").train_accuracy)


def critical_accuracy(table: pd.DataFrame) -> list[float]:
    """Training accuracy of deep tanh networks whose weights stand at the line between order and chaos."""
    return accuracy_at(table, 1.05)


def ordered_accuracy(table: pd.DataFrame) -> list[float]:
    """The same deep in the ordered phase."""
    return accuracy_at(table, 0.7)


def chaotic_accuracy(table: pd.DataFrame) -> list[float]:
    """The same deep in the chaotic phase."""
    return accuracy_at(table, 3.0)


def correlation_slope(table: pd.DataFrame) -> list[float]:
    """Distance of the measured growth of small differences a layer from chi_1, largest over the scales of the weights."""
    rows = table[table.activation == "tanh"]
    return [float((own.growth - own.chi).abs().max()) for _, own in rows.groupby("member")]


def he_signal(table: pd.DataFrame) -> list[float]:
    """Log10 ratio of the last hidden layer's second moment to the first's in deep ReLU networks, He's scale."""
    rows = table[(table.activation == "relu") & np.isclose(table.sigma, 2**0.5)]
    return list(rows.sort_values("member").signal)


def glorot_signal(table: pd.DataFrame) -> list[float]:
    """The same at Glorot's scale."""
    return list(table[(table.activation == "relu") & np.isclose(table.sigma, 1.0)].sort_values("member").signal)


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Training accuracy by scale of the weights."""
    means = table.groupby(["activation", "sigma"]).train_accuracy.mean().reset_index()
    return means.rename(columns={"sigma": "x", "train_accuracy": "y", "activation": "curve"})


@study(
    source="Schoenholz et al. 2017; Xiao et al. 2018; He et al. 2015; Glorot and Bengio 2010",
    sizes={
        "smoke": {"activation": ["tanh", "relu"], "depth": 30, "width": 50, "members": 3, "examples": 300, "steps": 250},
        "laptop": {"activation": ["tanh", "relu"], "depth": 30, "width": 100, "members": 5, "examples": 1000, "steps": 600},
        "paper": {"activation": ["tanh", "relu"], "depth": 60, "width": 300, "members": 5, "examples": 1297, "steps": 5000},
    },
    drawn=drawn,
    axes={"x": "sigma_w", "y": "training accuracy"},
    claims=(
        Claim(
            "Deep tanh networks can be trained at the line between order and chaos, and not in the ordered phase.",
            "Schoenholz et al. 2017, section 5", critical_accuracy, bar=0.5, control=ordered_accuracy,
        ),
        Claim(
            "Nor can they be trained deep in the chaotic phase.",
            "Schoenholz et al. 2017, section 5", chaotic_accuracy, bar=0.5, above=False, control=critical_accuracy,
        ),
        Claim(
            "Small differences between inputs grow by chi_1 a layer.",
            "Poole et al. 2016; Schoenholz et al. 2017, equation 5", correlation_slope, bar=0.15, above=False,
        ),
        Claim(
            "He's initialisation keeps the signal of deep ReLU networks; Glorot's loses it.",
            "He et al. 2015, section 2.2", he_signal, bar=-4.0, control=glorot_signal,
        ),
    ),
)  # fmt: skip
def order_and_chaos(
    *, activation: str, depth: int, width: int, members: int, examples: int, steps: int, seed: int
) -> dict[str, Any]:
    r"""How large must weights be drawn for a deep network to be trained?

    Dense networks on digits; weights of variance sigma_w^2 / fan-in, biases of 0.05^2 (tanh) or none (ReLU). chi_1 < 1 is order,
    chi_1 > 1 chaos; a signal is forgotten over 1 / |ln chi_1| layers. All scales and seeds are one population, trained by SGD of
    rate 0.01 and momentum 0.8.

    Args:
        activation: ``tanh`` or ``relu``.
        depth: Hidden layers.
        width: Of each.
        members: Seeds.
        examples: Of the training set.
        steps: Of training.
        seed: Of everything.

    Returns:
        A row a scale and seed: member, sigma, chi, depth_scale, growth (of the squared distance of two near inputs, a layer),
        signal (log10 of the last over the first layer's second moment), train_accuracy.

    Example:
        >>> rows = order_and_chaos(activation="relu", depth=3, width=8, members=1, examples=50, steps=2, seed=0)
        >>> rows["sigma"]
        [1.0, 1.4142135623730951]
    """
    relu = activation == "relu"
    scales = [1.0, 2**0.5] if relu else [0.7, 1.05, 1.3, 3.0]
    pairs = [(scale, member) for scale in scales for member in range(members)]
    (x, y), _ = find("digits").function(train_size=examples, seed=seed)
    x = 2 * x - 1
    initial = Population([_network(width, depth, relu, scale, seed, member) for scale, member in pairs])
    recipe = Recipe(lr=0.01, momentum=0.8, batch_size=min(100, examples), steps=steps)
    numbers = [member for _, member in pairs]
    final = fit(initial, (x, y), recipe, seed=seed, numbers=numbers).final
    growth, signal = zip(*[_propagated(initial.member(place), x) for place in range(len(pairs))], strict=True)
    factors = [
        scale**2 / 2 if relu else chi(scale**2, BIAS**2, np.tanh, lambda z: 1 - np.tanh(z) ** 2) for scale, _ in pairs
    ]
    return {
        "member": numbers,
        "sigma": [scale for scale, _ in pairs],
        "chi": factors,
        "depth_scale": [depth_scale(factor) for factor in factors],
        "growth": list(growth),
        "signal": list(signal),
        "train_accuracy": (1 - errors(final, x, y)).numpy(),
    }


def _network(width: int, depth: int, relu: bool, scale: float, seed: int, member: int) -> nn.Module:
    bias = 0.0 if relu else BIAS
    return Population.of(lambda: Deep(64, width, depth, 10, scale, bias, relu), 1, seed=seed, numbers=[member]).member(
        0
    )


@torch.no_grad()
def _propagated(network: nn.Module, x: Tensor) -> tuple[float, float]:
    """Growth of small squared distances a layer, from the Jacobian's mean square; and the change of the second moment."""
    assert isinstance(network, Deep)
    layers: list[nn.Module] = list(network.layers)[:-1]
    activation = network.activation
    signals = [activation(layers[0](x[:50].flatten(1)))]
    for layer in layers[1:]:
        signals.append(activation(layer(signals[-1])))
    moments = [float(signal.double().square().mean()) for signal in signals]
    # at the fixed length a difference d before a layer becomes phi'(h) W d: squared length times mean phi'^2 sigma_w^2
    deep = layers[-1](signals[-2])
    slope = (1 - torch.tanh(deep) ** 2) if isinstance(activation, nn.Tanh) else (deep > 0).double()
    weight = layers[-1].get_parameter("weight")
    growth = float(slope.double().square().mean() * weight.double().square().sum() / len(weight))
    return growth, float(np.log10(max(moments[-1], 1e-300) / moments[0]))
