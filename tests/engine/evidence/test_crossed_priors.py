"""Two priors: divergences term by term, each from the prior that did not see its half."""

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence.drawing import posterior_for, trained_networks
from heldout.engine.evidence.posteriors import FROM_SPLIT, NARROW
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.posteriors import Gaussian
from heldout.engine.training import Recipe


def test_divergences_term_by_term() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=10, steps=40)
    subject = cases.linear().subject()
    found = Evidence(subject, recipe=recipe, seed=2)["crossed_gibbs"]
    order = torch.randperm(60, generator=stream(2, "crossed priors"))
    halves = [order[:30].sort().values, order[30:].sort().values]
    priors = [trained_networks(subject.initial, subject.train.take(half), recipe, 2) for half in halves]
    scales = Gaussian.relative(subject.initial, NARROW).log_scales
    middle = {n: (w + priors[1].parameters[n]) / 2 for n, w in priors[0].parameters.items()}
    between = subject.initial.with_tensors(middle, subject.initial.buffers)
    q = posterior_for(between, Gaussian(between, scales), subject.train, subject, FROM_SPLIT, 2).posterior
    for half, prior in ((0, priors[1]), (1, priors[0])):
        nats = 0.0
        for name, mean in q.centre.parameters.items():
            sigma = q.log_scales[name].double().exp().expand_as(mean).numpy()
            s = scales[name].double().exp().expand_as(mean).numpy()
            moved = (mean - prior.parameters[name]).double().numpy()
            nats += 0.5 * float((np.log(s**2 / sigma**2) + moved**2 / s**2 + sigma**2 / s**2 - 1).sum())
        assert found.divergences[half, 0] == pytest.approx(nats, rel=1e-4)
