"""m-coherence by labels: a column against gradients by hand, statistics of hand-made tables, the smoke run."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.population import Population
from heldout.studies import coherent_gradients as study


def test_coherence_is_that_of_gradients_one_by_one() -> None:
    draw = torch.Generator().manual_seed(0)
    data = tuple((torch.randn(n, 5, generator=draw), torch.randint(0, 3, (n,), generator=draw)) for n in (30, 20))

    def network() -> nn.Module:
        return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))

    table = study.coherent_gradients(
        noise=0.0, train_size=30, width=9, batch_size=10, steps=4, members=2, lr=0.05, readings=2, target_loss=0.1,
        data=data, network=network, seed=3,
    )  # fmt: skip
    assert sorted(set(table["step"])) == [0, 1, 4]
    member = Population.of(network, 2, seed=3).member(1).double()
    rows = []
    for x, y in zip(*data[0], strict=True):
        loss = nn.functional.cross_entropy(member(x.double()[None]), y[None])
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(member.parameters()))]))
    gradients = torch.stack(rows)
    coherence = 30 * gradients.mean(0).square().sum() / gradients.square().sum(1).mean()
    place = [s == 0 and m == 1 for s, m in zip(table["step"], table["member"], strict=True)].index(True)
    assert table["coherence"][place] == pytest.approx(float(coherence), rel=1e-5)


def hand_made(factor: float) -> pd.DataFrame:
    steps = [0, 1, 2, 3, 4]
    losses = [2.3, 1.7, 1.2, 0.4, 0.1]
    return pd.concat([
        pd.DataFrame({"noise": noise, "lr": lr, "member": 0, "step": steps, "train_loss": losses,
                      "coherence": 2.0 if noise else [2 * factor, factor, factor, factor, 4 * factor]})
        for noise in (0.0, 1.0) for lr in (0.1, 0.2)
    ])  # fmt: skip


def test_statistics_of_a_table_made_by_hand() -> None:
    table = hand_made(6.0)
    assert study.ratio_at_initialisation(table) == pytest.approx([np.log(6)])
    assert study.ratio_early(table) == pytest.approx([np.log(3) + np.log(2) / 2])  # loss 2.0 lies half-way to 1.7
    last = np.log(3) + np.log(4) * (0.4 - 0.2) / (0.4 - 0.1)
    assert study.ratio_later(table) == pytest.approx([(3 * np.log(3) + last) / 4])
    assert study.ratio_of_peaks(table) == pytest.approx([np.log(12)])


def test_what_was_never_reached_has_no_value_and_the_largest_rate_is_read() -> None:
    table = hand_made(6.0)
    assert np.isnan(study.at_loss(table[(table.noise == 1) & (table.lr == 0.1)], 0.05))
    assert np.isnan(study.at_loss(table[(table.noise == 1) & (table.lr == 0.1)], 5.0))
    table.loc[table.lr == 0.1, "coherence"] = 1.0
    assert study.ratio_at_initialisation(table) == pytest.approx([np.log(6)])


@pytest.mark.slow
def test_the_smoke_run_shows_coherence_early_and_not_later() -> None:
    record = heldout.study("coherent-gradients")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 2 + ["not reproduced"] * 2
    assert len(record.figure().to_dict()["data"]["values"]) > 20


def test_random_labels_that_are_the_real_ones_show_nothing() -> None:
    """With one class a label that is drawn anew is the old one."""
    pair = torch.randn(20, 5, generator=torch.Generator().manual_seed(0)), torch.zeros(20, dtype=torch.int64)
    record = heldout.study(
        "coherent-gradients", data=(pair, pair), network=lambda: nn.Linear(5, 2), steps=20, batch_size=10, members=3
    )
    assert record.claims[0]["value"] == pytest.approx(0.0)
