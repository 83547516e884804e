"""Random labels: arms made as they say, statistics of tables made by hand, and the smoke run's verdicts."""

import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import random_labels as study


def test_arms_change_what_they_say_and_nothing_else() -> None:
    x, y = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 10
    train, test = (x, y), (x[:20], y[:20])
    arms = {arm: study._arm(arm, train, test, 0, 1) for arm in study.ARMS}
    assert torch.equal(arms["true labels"][0], x)
    assert torch.equal(arms["true labels"][1], y)
    assert 0.75 < float((arms["random labels"][1] != y).double().mean()) <= 1
    assert 0.25 < float((arms["half random labels"][1] != y).double().mean()) < 0.65
    shuffled = arms["shuffled pixels"]
    assert torch.equal(shuffled[0].flatten(1).sort(1).values, x.flatten(1).sort(1).values)
    assert torch.equal(shuffled[0][:20], shuffled[2])  # training and test data by one permutation
    assert not torch.equal(shuffled[0], x)
    noise = arms["noise inputs"][0]
    assert abs(float(noise.mean() - x.mean())) < 0.05
    for arm in study.ARMS:
        assert torch.equal(arms[arm][3], y[:20])  # test labels are the true ones in every arm


def test_statistics_of_a_table_made_by_hand() -> None:
    columns = ["architecture", "arm", "member", "train_error", "test_error", "epochs", "critical"]
    rows = [
        ("dense", "true labels", 0, 0.0, 0.1, 10.0, 0.2),
        ("dense", "random labels", 0, 0.01, 0.9, 40.0, 0.9),
        ("dense", "shuffled pixels", 0, 0.0, 0.1, 11.0, 0.25),
        ("convolutional", "true labels", 0, 0.0, 0.05, 3.0, 0.0),
        ("convolutional", "shuffled pixels", 0, 0.5, 0.2, 3.0, 0.0),
    ]
    table = pd.DataFrame(rows, columns=columns)
    assert study.smallest_fit(table) == pytest.approx([0.99])
    assert study.slowdown(table) == [4.0]
    assert study.slowdown_of_shuffled_pixels(table) == pytest.approx([1.1])
    assert study.critical_difference(table) == pytest.approx([0.7])
    assert study.price_of_shuffling(table) == pytest.approx([0.15])
    assert study.price_of_shuffling_to_dense_networks(table) == pytest.approx([0.0])
    assert study.unseen_accuracy_of_random_labels(table) == pytest.approx([0.1])


def test_the_smoke_run_shows_memorising_and_what_gives_it_away() -> None:
    record = heldout.study("random-labels")
    verdicts = [claim["verdict"] for claim in record.claims]
    assert verdicts[1:4] == ["reproduced"] * 3


def test_a_user_s_own_images_take_the_place_of_the_digits() -> None:
    draw = torch.Generator().manual_seed(0)
    x, y = torch.rand(40, 1, 6, 6, generator=draw), torch.arange(40) % 2
    record = heldout.study(
        "random-labels", data=((x[:30], y[:30]), (x[30:], y[30:])), architecture=["dense"], epochs=5, members=1
    )
    assert record.size == "smoke, changed"
    assert len(record.table) == 5
