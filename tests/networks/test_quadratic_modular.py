"""The quadratic network, against its formula."""

import torch

from heldout.networks.quadratic_modular import quadratic_modular


def test_it_is_the_formula() -> None:
    network = quadratic_modular(modulus=5, width=9)
    u, w = network.parameters()
    x = torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    assert u.shape == (9, 10)
    assert w.shape == (5, 9)
    torch.testing.assert_close(network(x), ((x @ u.T) ** 2) @ w.T)


def test_weights_start_at_the_paper_s_scale() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = quadratic_modular(modulus=97, width=500)
    expected = 0.5 / 1000 ** (1 / 3)
    for weight in network.parameters():  # 48,500 draws and more: 5 standard errors of a deviation are below 2 %
        assert abs(float(weight.detach().std()) / expected - 1) < 0.02
        assert abs(float(weight.detach().mean())) < 5 * expected / 48500**0.5
