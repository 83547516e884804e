"""The right-hand side of the law."""

import numpy as np
import pytest

from heldout.engine.numerics.robustness_law import robustness_law


def test_the_law_of_two_layers_is_the_root_of_examples_over_units() -> None:
    assert robustness_law(100, 7, np.array([7 * 25, 7 * 400])) == pytest.approx([2.0, 0.5])
    assert float(robustness_law(50, 3, 600)) == pytest.approx((50 * 3 / 600) ** 0.5)
