"""Solutions against direct ones, each system on its own clock."""

import torch

from heldout.engine.numerics.conjugate_gradients import conjugate_gradients


def test_many_systems_at_once_are_those_of_one_by_one() -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(3, 12, 12, generator=generator, dtype=torch.float64)
    matrices = root @ root.mT * torch.tensor([1.0, 1e-3, 1e3]).double()[:, None, None]
    right = torch.randn(3, 4, 12, generator=generator, dtype=torch.float64)
    damping = torch.tensor([0.1, 1e-3, 10.0], dtype=torch.float64)
    found = conjugate_gradients(lambda v: v @ matrices, right, damping, steps=200, tolerance=1e-12)
    whole = matrices + damping[:, None, None] * torch.eye(12).double()
    assert found.settled.all()
    torch.testing.assert_close(found.solution, torch.linalg.solve(whole, right.mT).mT, rtol=1e-8, atol=1e-10)
    alone = conjugate_gradients(lambda v: v @ matrices[:1], right[:1, :1], damping[:1], steps=200, tolerance=1e-12)
    torch.testing.assert_close(alone.solution, found.solution[:1, :1], rtol=1e-10, atol=0)


def test_systems_that_fail_keep_to_themselves() -> None:
    right = torch.ones(2, 1, 3, dtype=torch.float64)
    right[1] = torch.nan
    scale = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    one = torch.ones(2, dtype=torch.float64)
    found = conjugate_gradients(lambda v: v * scale, right, one, steps=5, tolerance=1e-12)
    torch.testing.assert_close(found.solution[0, 0], 1 / (scale + 1))
    assert found.settled.flatten().tolist() == [True, False]
    cut = conjugate_gradients(lambda v: v * scale, right, one, steps=1, tolerance=1e-12)
    assert not cut.settled[0]
    assert float(cut.residual[0]) > 1e-3
    nothing = conjugate_gradients(lambda v: v * scale, torch.zeros(1, 1, 3).double(), one[:1], steps=5, tolerance=1e-9)
    assert nothing.settled.all()
    assert not nothing.solution.any()
