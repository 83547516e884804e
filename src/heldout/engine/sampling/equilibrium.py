"""Whether chains have reached the law that they are to sample; and if not, what would be needed."""

from dataclasses import dataclass, field

import numpy as np

from heldout.engine.sampling.convergence import Floats, bulk_size, effective_size, monte_carlo_error, r_hat, split

R_HAT = 1.05
SMALLEST_SIZE = 100.0  # effective draws below which no error bar can be trusted
VIRIAL = 0.05  # relative departure from equipartition that is no news
LAYER_VIRIAL = 0.15
DIVERGED = 0.25  # share of chains
FEWEST = 25  # draws of a chain


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """What the diagnostics say of one group of chains.

    Attributes:
        converged: Whether its numbers may be reported.
        reason: Why not, in a sentence with what would be needed; empty where they may.
        numbers: Diagnostic -> value.
        layers: Parameter's name -> its share of the virial, 1 at equilibrium.
    """

    converged: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    layers: dict[str, float] = field(default_factory=dict)


def equilibrium(
    losses: Floats, distances: Floats, virials: Floats, sizes: dict[str, int], *, asked: int, sweeps: float
) -> Equilibrium:
    r"""Judge the chains of one group.

    Four things must hold: rank-normalised split R-hat of the mean loss and of the squared distance from the centre below 1.05; 100
    effective draws of each; few chains diverged; and the virial theorem,

    .. math:: E\left[(w - w^*) \cdot \nabla U(w)\right] = P

    over all parameters and over those of each tensor, which holds in equilibrium whatever the loss is, and which chains that have not
    yet spread from their start miss from below, however well they agree with one another.

    Args:
        losses: Mean loss of every draw of the living chains, ``[K, D]``.
        distances: Squared distance from the centre, ``[K, D]``.
        virials: ``(w - w*) grad U`` of every parameter tensor, ``[K, D, L]``.
        sizes: Parameter's name -> its entries, in the order of L.
        asked: Chains that were started.
        sweeps: Gradients over all examples that a chain has cost.

    Returns:
        The verdict.
    """
    lost = asked - len(losses)
    if lost > DIVERGED * asked or len(losses) < 1:
        return Equilibrium(
            False,
            f"{lost} of {asked} chains diverged, their loss no finite number any more; leave step_size out or divide it by 4",
            {"diverged": float(lost)},
        )
    if losses.shape[1] > 1 and not np.ptp(losses) > 0:
        words = "the chains never left their start; divide step_size by 4 or leave it to the automatic choice"
        return Equilibrium(False, words, {})
    if losses.shape[1] < FEWEST:
        return Equilibrium(False, f"{losses.shape[1]} draws a chain are too few; pass a larger budget", {})
    total = virials.sum(2) / sum(sizes.values())
    ratio, error = float(total.mean()), monte_carlo_error(total)
    numbers = {
        "r_hat_loss": r_hat(losses), "r_hat_distance": r_hat(distances), "bulk_loss": bulk_size(losses),
        "size_distance": effective_size(split(distances)), "virial": ratio, "virial_error": error, "diverged": float(lost),
    }  # fmt: skip
    layers = {name: virials[:, :, i] / size for i, (name, size) in enumerate(sizes.items())}
    means = {name: float(each.mean()) for name, each in layers.items()}
    return Equilibrium(*_said(numbers, layers, losses, sweeps), numbers, means)


def _said(numbers: dict[str, float], layers: dict[str, Floats], losses: Floats, sweeps: float) -> tuple[bool, str]:
    ratio, error = numbers["virial"], numbers["virial_error"]
    needed = f"; pass budget={_round(4 * sweeps)} or a larger localisation"
    if abs(ratio - 1) > max(VIRIAL, 4 * error):
        said = "have not yet spread to" if ratio < 1 else "lie beyond"
        return False, f"the chains {said} equilibrium: their virial is {ratio:.2f} of what it must be" + (
            needed if ratio < 1 else "; divide step_size by 4, or pass a larger localisation"
        )
    for name, each in layers.items():
        mean = float(each.mean())
        if abs(mean - 1) > max(LAYER_VIRIAL, 5 * monte_carlo_error(each)):
            return (
                False,
                f"the parameters '{name}' are not in equilibrium: their virial is {mean:.2f} of what it must be{needed}",
            )
    for what in ("loss", "distance"):
        found = numbers[f"r_hat_{what}"]
        if not found <= R_HAT:
            odd = _odd_one(losses) if what == "loss" else ""
            return (
                False,
                f"the chains do not agree: split R-hat of the {what} is {found:.2f} and not below {R_HAT}{odd}{needed}",
            )
    size = min(numbers["bulk_loss"], numbers["size_distance"])
    if size < SMALLEST_SIZE:
        more = _round(1.5 * sweeps * SMALLEST_SIZE / max(size, 1.0))
        return False, f"the draws are worth {size:.0f} independent ones and not {SMALLEST_SIZE:.0f}; pass budget={more}"
    return True, ""


def _odd_one(losses: Floats) -> str:
    """Name the chain that sits elsewhere, if it is one."""
    means = losses.mean(1)
    away = np.abs(means - np.median(means))
    if len(means) < 4 or np.sort(away)[-2] > 0.2 * away.max():
        return ""
    odd = int(away.argmax())
    return f" (chain {odd} sits at a mean loss of {means[odd]:.4g}, the others at {np.median(means):.4g})"


def _round(number: float) -> int:
    digits = 10 ** max(0, int(np.log10(max(number, 1.0))) - 1)
    return int(np.ceil(number / digits) * digits)
