"""The certificate of one draw: the divergence is replaced by the log-ratio at the draw, and no draws are averaged."""

import math

import numpy as np
import pytest

from heldout.bounds.pac_bayes_single_draw import pac_bayes_single_draw, pac_bayes_single_draw_learnt_prior
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.posteriors import Gibbs, SingleDraw
from heldout.engine.posteriors.inequalities import pac_bayes_kl_upper


def drawn(ratio: float, price: float = 0.0, errors: float | None = None) -> Gibbs:
    """One member whose draw has 5 % risk on 2000 examples."""
    one = np.ones(1)
    return Gibbs(
        100.0 * one, price * one, 0.9 * one, 1, 2000, SingleDraw(0.05 * one, ratio * one), 0.9 * one, 1,
        None if errors is None else errors * one,
    )  # fmt: skip


def test_the_log_ratio_at_the_draw_counts() -> None:
    found = pac_bayes_single_draw(drawn(133.0, 7.0), log_delta=math.log(0.05))
    assert found.value[0] == float(pac_bayes_kl_upper(0.05, 140.0, 2000, math.log(0.05)))
    assert found.value[0] > pac_bayes_single_draw(drawn(100.0, 7.0), log_delta=math.log(0.05)).value[0]
    assert found.empirical_risk[0] == 0.05
    assert found.terms["log-ratio at the draw"][0] == 133.0
    assert [share for _, share in found.steps] == [1.0]  # no Monte-Carlo step is paid


def test_a_lucky_draw_never_pays_less_than_nothing() -> None:
    found = pac_bayes_single_draw(drawn(-50.0, 7.0), log_delta=math.log(0.05))
    assert found.value[0] == float(pac_bayes_kl_upper(0.05, 0.0, 2000, math.log(0.05)))


def test_the_baseline_of_a_learnt_prior() -> None:
    found = pac_bayes_single_draw_learnt_prior(drawn(1.0, errors=80), log_delta=math.log(0.02))
    assert found.baseline is not None
    assert found.baseline[0] == float(binomial_inverse_upper(80, 2000, math.log(0.02)))
    assert pac_bayes_single_draw(drawn(1.0), log_delta=math.log(0.02)).baseline is None


@pytest.mark.parametrize(("nats", "quantile"), [(100, 133), (1000, 1104), (5000, 5233)])
def test_the_price_of_one_draw(nats: int, quantile: int) -> None:
    """Digest, section 2: of a shift of the mean alone, ln dQ/dP is normal around KL with variance 2 KL; its 99 % quantile."""
    from scipy import stats

    assert nats + stats.norm.ppf(0.99) * math.sqrt(2 * nats) == pytest.approx(quantile, abs=1)
