"""From networks whose risk is known to one whose risk is not: a forest, intervals that hold by exchangeability, and what is new."""

from heldout.engine.predicting.conformal import fewest_groups, hierarchical_quantile, hierarchical_tail
from heldout.engine.predicting.predictor import Predicted, Predictor, fitted_predictor

__all__ = ["Predicted", "Predictor", "fewest_groups", "fitted_predictor", "hierarchical_quantile", "hierarchical_tail"]
