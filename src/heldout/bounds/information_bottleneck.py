"""The information bottleneck: what a layer keeps of its inputs, and what its weights keep of the training examples."""

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.layer_laws import LayerInformation
from heldout.engine.evidence.scattering import Floats, Scattered
from heldout.engine.numerics.information_gaps import noisy_information
from heldout.records import Bounded, Status


@bound(
    source="Kawaguchi et al. 2023 (arXiv 2305.18887), leading term; its factors G are left at 1 and its additions at 0",
    certifies="networks trained by the recipe on one of the samples, Gaussian noise added to their weights",
    statement="a trend: the factors of the theorem are not known, and both pieces of information are estimates; no probability",
    family="information",
    standing=Status.CORRELATE,
)
def information_bottleneck(
    conditional_layer_information: LayerInformation, scattered: Scattered, *, log_delta: float
) -> Bounded:
    r"""Error on the training sample plus the leading term of the bottleneck bound at the layer where it is smallest.

    .. math:: \hat R + \min_l \sqrt{\frac{I(X; Z_l | Y) + I(\phi_l + \sigma\xi; S)}{n}}

    phi_l are the parameters up to layer l, with a Gaussian over retrainings on disjoint samples in place of a posterior; noise is
    the one of a grid at which the sum is smallest. I(X; Z_l | Y) is the estimate from below, of the network as it was trained. The
    theorem holds with factors of the class count, the loss's largest value over the representation and a sensitivity; they are not
    computed, and the number is no bound.

    Args:
        conditional_layer_information: Of inputs, of all layers.
        scattered: Squared distances of the weights.
        log_delta: Not used.

    Returns:
        The numbers and their account.

    Example:
        >>> kept = LayerInformation(("input", "b", "output"), *[np.array([[3.0, 2.0, 0.5]])] * 3, np.ones(1))
        >>> still, zeros = np.zeros((1, 2, 3, 3)), np.zeros((1, 1, 3))
        >>> one = Scattered(("a.weight", "b.weight"), np.ones(2), still, still, np.ones((1, 1)), zeros, zeros, 50)
        >>> print(f"{information_bottleneck(kept, one, log_delta=-3.0).value[0]:.2f}")  # the root of 0.5 / 50
        0.10
    """
    layers = conditional_layer_information.layers[1:]
    encoders = encoder_information(scattered, layers)  # [M, L, G]
    kept = conditional_layer_information.lower[:, 1:]
    gap = np.sqrt((kept[..., None] + encoders) / scattered.examples)
    seen = scattered.seen.mean(-1)
    whole = seen[:, None] + gap
    members = np.arange(len(seen))
    layer, size = np.unravel_index(whole.reshape(len(seen), -1).argmin(1), whole.shape[1:])
    return Bounded(
        value=whole[members, layer, size],
        steps=(),
        empirical_risk=seen[members, size],
        examples=scattered.examples,
        data=scattered.data,
        terms={
            "gap": gap[members, layer, size],
            "information kept of inputs": kept[members, layer],
            "information of the encoder": encoders[members, layer, size],
            "layer": (1 + layer).astype(np.float64),
            "layers": np.full(len(seen), float(1 + len(layers))),
            "noise": scattered.noises[members, size],
            "gap that was seen": (scattered.fresh.mean(-1) - seen)[members, size],
        },
    )


def encoder_information(scattered: Scattered, layers: tuple[str, ...]) -> Floats:
    """Most information that the noisy parameters before each layer have of the sample.

    Args:
        scattered: Squared distances of the weights.
        layers: Modules that receive a representation; ``output`` for all parameters.

    Returns:
        ``[M, L, G]`` in nats.
    """
    samples = scattered.apart.shape[-1]
    spread = scattered.apart.sum((-1, -2)) / (2 * samples * (samples - 1))
    found = []
    for layer in layers:
        count = len(scattered.names)
        before = next((i for i, name in enumerate(scattered.names) if name.startswith(f"{layer}.")), count)
        found.append(noisy_information(spread[:, None, :before], scattered.sizes[:before], scattered.noises))
    return np.stack(found, 1)
