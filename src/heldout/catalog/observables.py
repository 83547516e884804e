"""The decorator of observables, what is read from the draws of a posterior."""

from collections.abc import Callable

from heldout.catalog.declaring import Function, unit
from heldout.records import Direction

#: What an observable may ask for: its required parameters are among these. K chains, D draws, N examples, R rungs of a ladder.
OBSERVED = {
    "mean_losses": "mean training loss of every draw, [K, D]",
    "draw_losses": "training loss of every example at every kept draw, [K, D, N]",
    "test_draw_losses": "test loss of every example at every kept draw, [K, D, N']",
    "centre_losses": "training loss of every example at the centre, [N]",
    "nbeta": "number of examples times inverse temperature",
    "beta": "inverse temperature, 1 for the Bayesian posterior",
    "examples": "number of training examples n",
    "ladder_nbetas": "n beta of the rungs of a temperature ladder, ascending, [R]",
    "ladder_excess": "mean training loss less that of the centre, of every draw of every rung, [R][K, D]",
}


def observable(
    *, source: str, unit_of_value: str = "", undefined: str = "", likelihood: bool = False
) -> Callable[[Function], Function]:
    """Declare an observable: one network's draws -> a number, and the influence of every draw on it.

    Args:
        source: Paper and equation.
        unit_of_value: Such as ``"nats"``; empty for a pure number.
        undefined: The sentence for draws that give no value; the function then returns NaN.
        likelihood: Whether the loss must be a negative log-likelihood.

    Returns:
        The decorator. The function returns the value and a series ``[K, D]`` whose mean it follows to first order, from which its
        Monte-Carlo error is made; where the value is a sum over independent runs, a list of such series.
    """
    fields = dict(
        source=source, unit=unit_of_value, undefined=undefined, likelihood=likelihood, direction=Direction.NEITHER
    )
    return lambda function: unit("observable", function, **fields)
