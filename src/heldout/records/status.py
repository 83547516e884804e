"""The closed list of sentences that say how a reading or a certificate went, and which way a reading points."""

from enum import Enum


class Status(Enum):
    """How a reading or a certificate went. Each member is what happened, its usual causes, and what to do.

    If the status of a reading is not ``OK`` it has no number: undefined is absent, never 0 and never NaN.
    """

    OK = ("ok", "The number is what its definition says.", "Nothing is in the way.", "Read it.")
    NOT_APPLICABLE = (
        "not-applicable",
        "This subject lacks something the reading needs.",
        "No test data, no initial weights, or a kind of layer or task the formula was not made for.",
        "Give what the reason names; the other readings are not affected.",
    )
    UNDEFINED = (
        "undefined",
        "The formula has no value at this network.",
        "A margin that is not positive, a gradient that vanishes, a class with no examples.",
        "Take the reason as the finding, and use another reading of the same family.",
    )
    NOT_CONVERGED = (
        "not-converged",
        "The estimator did not settle within its budget, so it gives no number.",
        "A search whose bracket never closed, too few draws, a flat or a broken curve.",
        "Raise the budget the reason names, or leave this reading out.",
    )
    NOT_FINITE = (
        "not-finite",
        "The computation ended in infinity or NaN where its definition allows none.",
        "Overflow of a product over many layers, or a fault in the formula's code.",
        "Use the logarithmic form of the reading if there is one; otherwise report it with the subject's summary.",
    )
    FAILED = (
        "failed",
        "The code of this reading stopped with an error; the others went on.",
        "A layer or a shape its author did not foresee, or memory that ran out.",
        "Report the reason with the network's printed form; lower --memory if memory ran out.",
    )
    ABSTAINED = (
        "abstained",
        "The network lies outside of what the prediction was calibrated on, so it gives no number.",
        "Another size of network or data, another kind of task, or readings unlike those of any known network.",
        "Bring a sweep of networks of this kind as a ledger; the reason says what was new.",
    )
    VALID = (
        "valid",
        "The theorem's conditions were checked and hold.",
        "Nothing is in the way.",
        "Quote it with its ledger.",
    )
    VACUOUS = (
        "vacuous",
        "The statement is true and says nothing: the bound is at or above the loss's maximum, or the loss of guessing evenly.",
        "Too few examples, or a loss near its maximum.",
        "Bring more held-out data or a larger delta.",
    )
    ESTIMATE = (
        "estimate",
        "A number in expectation, without a probability that it holds.",
        "The theorem averages over the sample, or one of its quantities was estimated.",
        "Do not quote it with 1 - delta.",
    )
    CORRELATE = (
        "correlate",
        "A number that goes along with generalization and that no theorem backs here.",
        "Constants are unknown or assumptions cannot be checked.",
        "Use it to compare, never to promise.",
    )
    REFUSED = (
        "refused",
        "The certificate would not be valid, so it is not issued.",
        "Held-out data that took part in training or selection, duplicates, layers in train mode.",
        "Remove the cause that the reason names and ask again.",
    )

    def __init__(self, code: str, happened: str, causes: str, do: str) -> None:
        self.code, self.happened, self.causes, self.do = code, happened, causes, do

    @classmethod
    def of(cls, code: str) -> "Status":
        """The status with this code.

        Args:
            code: Such as ``"not-applicable"``.

        Returns:
            The member.
        """
        return next(status for status in cls if status.code == code)


class Direction(Enum):
    """Which way a reading points: what a larger value says about error on unseen data."""

    HIGHER_IS_WORSE = "higher is worse"
    HIGHER_IS_BETTER = "higher is better"
    NEITHER = "neither"
