"""A network of nine thousand parameters, against a long run of plain Hamiltonian Monte Carlo (test vector T11)."""

import pytest
import torch
from benchmarks.posterior_networks import GAMMA, customary, digits, trained

import heldout

#: ``python -m benchmarks.posterior_networks --trajectories 200``: eight chains, standard error 0.07.
REFERENCE = 8.514


@pytest.mark.slow
def test_a_perceptron_of_the_digits_is_within_a_tenth_of_the_reference_and_the_customary_recipe_is_not() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = trained("perceptron 64-64-64-10")
        told: list[tuple[str, float]] = []
        posterior = heldout.sample_posterior(
            heldout.Subject(network, train=digits()),
            localisation=GAMMA,
            precision=0.05,
            progress=lambda words, share: told.append((words, share)),
        )
        naive = customary(network)
    finally:
        torch.set_num_threads(threads)
    reading = posterior.learning_coefficient
    assert reading.ok, reading.reasons
    assert abs(reading.value[0] / REFERENCE - 1) < 0.1
    assert reading.standard_error[0] < 0.05 * REFERENCE
    assert naive < 0.5 * REFERENCE
    assert posterior.draws[0].sweeps < 2000  # gradients of a chain, pilots included
    assert told[0][0] == "coordinates and steps found"
    assert told[-1][0].endswith("draws")
