"""Problems of known risk for the simulator: a surrogate that errs on some kinds of inputs, and a network chosen to differ from it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heldout.engine.evidence.surrogates import Edited, Transferred

KINDS, ASIDE, UNLABELLED = 40, 60, 50


class Transfers(NamedTuple):
    """Evidence with the true risks.

    Attributes:
        transferred: One member a problem.
        edited: The network and its edited form.
        risks: Of the network, ``[M]``.
        edited_risks: Of its edited form, ``[M]``.
    """

    transferred: Transferred
    edited: Edited
    risks: NDArray[np.float64]
    edited_risks: NDArray[np.float64]


def transfers(generator: np.random.Generator, problems: int) -> Transfers:
    """Draw problems.

    Inputs come in kinds of equal chance with two classes. The network differs from the surrogate only where that is right, so that
    every disagreement is an error. It has seen the examples set aside: where these flatter the surrogate it differs on one kind only,
    to leave no slack, otherwise on five. The edited network differs from it on two further kinds.

    Args:
        generator: Randomness.
        problems: M.

    Returns:
        Evidence and true risks.
    """
    wrong = generator.integers(1, 9, size=problems)  # kinds on which the surrogate errs
    errors = generator.binomial(ASIDE, wrong / KINDS)
    differing = np.where(errors < 0.6 * ASIDE * wrong / KINDS, 1, 5)
    seen = generator.multinomial(
        UNLABELLED, np.stack([differing, np.full(problems, 2), KINDS - 2 - differing], 1) / KINDS
    )
    transferred = Transferred(errors, ASIDE, seen[:, 0], UNLABELLED)
    risks = (wrong + differing) / KINDS
    return Transfers(transferred, Edited(seen[:, 1]), risks, risks + 2 / KINDS)
