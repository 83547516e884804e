"""Subjects: every accepted form says the same thing, and what cannot be measured is refused at once."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from heldout.engine.population import Population
from heldout.engine.subject import Examples, Subject
from heldout.records import Refusal

X = torch.arange(12.0).reshape(4, 3) / 12
Y = torch.tensor([0, 1, 1, 0])


def net(seed: int = 0, outputs: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, outputs))


FORMS: dict[str, Callable[[], Any]] = {
    "tensors": lambda: (X, Y),
    "list": lambda: [X, Y],
    "arrays": lambda: (X.numpy(), Y.numpy()),
    "float labels": lambda: (X, Y.double()),
    "byte labels": lambda: (X.numpy(), Y.numpy().astype(np.uint8)),
    "wide unsigned labels": lambda: (X.numpy(), Y.numpy().astype(np.uint32)),
    "boolean labels": lambda: (X, Y.bool()),
    "dictionary": lambda: {"x": X, "y": Y},
    "dataset": lambda: TensorDataset(X, Y),
    "loader": lambda: DataLoader(TensorDataset(X, Y), batch_size=3),
    "examples": lambda: Examples(X, Y),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_examples(form: str) -> None:
    subject = Subject(net(), FORMS[form](), FORMS[form]())
    for examples in (subject.train, subject.test):
        assert examples is not None
        assert torch.equal(examples.x, X)
        assert torch.equal(examples.y, Y)
        assert examples.y.dtype == torch.int64
    assert subject.classes == 2


def test_keyword_inputs_travel_as_a_dictionary() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.layer(left - right)

    batches = {"left": X, "right": X / 2, "labels": Y}
    subject = Subject(Two(), batches)
    assert set(subject.train.x) == {"left", "right"}
    assert torch.equal(subject.probe["right"], X[:1] / 2)


def test_labels_and_inputs_may_be_each_members_own() -> None:
    x, y = torch.stack([X, X + 1]), torch.stack([Y, 1 - Y])
    subject = Subject([net(0), net(1)], Examples(x, y, x_per_member=True, y_per_member=True))
    assert len(subject.train) == 4
    assert torch.equal(subject.probe, X[:1])
    assert torch.equal(subject.train.labels(2), y)
    few = subject.train.take(torch.tensor([3, 0]))
    assert torch.equal(few.x, x[:, [3, 0]])
    assert torch.equal(few.y, y[:, [3, 0]])
    assert Subject([net(0), net(1)], (X, Y)).train.labels(2).shape == (2, 4)


def test_the_summary_says_what_is_known() -> None:
    subject = Subject([net(0), net(1)], (X, Y), (X[:3], Y[:3]), initial=[net(2), net(3)], groups=["a", "b"], name="two")
    assert subject.summary() == {
        "name": "two", "members": 2, "parameters": 26, "task": "classification", "classes": 2, "loss": "cross-entropy",
        "train_examples": 4, "test_examples": 3, "initial_weights": True, "groups": ["a", "b"],
        "train_mode_layers": [], "strategy": "stacked",
    }  # fmt: skip
    bare = Subject(net(), (X, Y)).summary()
    assert (bare["name"], bare["test_examples"], bare["initial_weights"]) == ("Sequential", None, False)


def test_the_network_keeps_its_mode_and_layers_in_training_mode_are_named() -> None:
    body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Dropout(0.0), nn.Linear(4, 2)).train()
    subject = Subject(body, (X, Y))
    assert subject.train_mode == ("1 (BatchNorm1d)", "2 (Dropout)")
    assert body.training
    assert Subject(copy.deepcopy(body).eval(), (X, Y)).train_mode == ()
    assert Subject(Population(body), (X, Y)).train_mode == ()


def test_a_regression_has_no_classes() -> None:
    subject = Subject(net(outputs=1), (X, X[:, 0]), loss="squared-error", loss_range=(0.0, 4.0))
    assert subject.classes is None
    assert subject.loss_range == (0.0, 4.0)
    assert subject.train.y.is_floating_point()


def test_one_logit_makes_two_classes() -> None:
    assert Subject(net(outputs=1), (X, Y), loss="binary-cross-entropy").classes == 2


class Centring(nn.Module):
    """Its answer for an example depends on the rest of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x - x.mean(0))


class Restless(nn.Module):
    """Another answer every time, whatever its mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + torch.rand(1)


def spoilt(value: float) -> nn.Module:
    network = net()
    with torch.no_grad():
        network.get_parameter("0.bias")[1] = value
    return network


def huge() -> nn.Module:
    network = net()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1e30)
    return network


GAP = X.clone()
GAP[2, 1] = float("nan")

WRONG: Any = Subject  # called with types that its signature excludes

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "nan weights": (lambda: Subject(spoilt(float("nan")), (X, Y)), "network has 1 NaN or infinite values in '0.bias'"),
    "infinite initial": (lambda: Subject(net(), (X, Y), initial=spoilt(float("inf"))), "initial has 1 NaN or infinite"),
    "another initial": (lambda: Subject(net(), (X, Y), initial=net(outputs=3)), "initial has another architecture"),
    "too few initials": (lambda: Subject([net(0), net(1)], (X, Y), initial=net(2)), "1 networks for 2"),
    "same initial": (lambda: Subject(net(0), (X, Y), initial=net(0)), "initial has the same weights as network"),
    "no network": (lambda: Subject([], (X, Y)), "the list of networks was empty"),
    "no weights": (lambda: Subject(nn.ReLU(), (X, Y)), "the network has no parameters"),
    "two kinds": (lambda: Subject([net(), net(outputs=3)], (X, Y)), "network 1 differs from network 0 at '2.weight'"),
    "no pair": (lambda: Subject(net(), X), "train was a Tensor of 4"),
    "words": (lambda: Subject(net(), (np.array(["a"]), Y)), "train held ndarray"),
    "empty": (lambda: Subject(net(), (X[:0], Y[:0])), "train has no examples"),
    "empty loader": (lambda: Subject(net(), DataLoader(TensorDataset(X[:0], Y[:0]))), "train was an empty DataLoader"),
    "empty dataset": (lambda: Subject(net(), TensorDataset(X[:0], Y[:0])), "train was an empty Dataset"),
    "lengths": (lambda: Subject(net(), (X, Y[:3])), "train x has 4 examples and y has 3"),
    "test lengths": (lambda: Subject(net(), (X, Y), (X[:2], Y)), "test x has 2 examples and y has 4"),
    "scalar y": (lambda: Subject(net(), (X, torch.tensor(1))), "train y was a single number"),
    "nothing in x": (lambda: Subject(net(), ({}, Y)), "train x was empty"),
    "nan data": (lambda: Subject(net(), (GAP, Y)), "train x has 1 NaN or infinite values"),
    "nan test": (lambda: Subject(net(), (X, Y), (GAP, Y)), "test x has 1 NaN or infinite values"),
    "labels too large": (lambda: Subject(net(), (X, Y + 1)), "train y has labels from 1 to 2; expected classes 0 to 1"),
    "test labels": (lambda: Subject(net(), (X, Y), (X, Y + 7)), "test y has labels from 7 to 8"),
    "negative labels": (lambda: Subject(net(), (X, Y - 1)), "train y has labels from -1 to 0"),
    "fractions": (lambda: Subject(net(), (X, Y + 0.5)), "train y has fractions"),
    "one-hot": (lambda: Subject(net(), (X, torch.eye(2)[Y])), r"shape \(4, 2\); .* pass y.argmax\(1\)"),
    "members' labels": (
        lambda: Subject(net(), Examples(X, torch.stack([Y, Y]), y_per_member=True)), "labels for 2 members",
    ),
    "input shape": (lambda: Subject(net(), (X[:, :2], Y)), r"the network failed on train x of shape \(4, 2\)"),
    "test shape": (lambda: Subject(net(), (X, Y), (X[:, :2], Y)), r"the network failed on test x of shape \(4, 2\)"),
    "test outputs": (
        lambda: Subject(nn.Conv1d(1, 2, 1), (X[:, None], X[:, None]), (X[:, None, :2], X[:, None]), loss="squared-error"),
        "another shape on test x than on train x",
    ),
    "batch statistics": (lambda: Subject(Centring(), (X, Y)), "changed with the other examples of its batch"),
    "restless": (lambda: Subject(Restless(), (X, Y)), "two different answers to the same inputs"),
    "overflow": (lambda: Subject(huge(), (X, Y)), "the network's outputs have NaN or infinite values"),
    "one output": (lambda: Subject(net(outputs=1), (X, Y)), "expected one score for each of two or more classes"),
    "targets": (lambda: Subject(net(), (X, X), loss="squared-error"), "3 numbers an example and the network gives 2"),
    "loss": (lambda: Subject(net(), (X, Y), loss="hinge"), "loss was 'hinge'; expected one of cross-entropy"),
    "range": (lambda: Subject(net(), (X, Y), loss_range=(1.0, 0.0)), r"loss_range was \(1.0, 0.0\)"),
    "endless range": (lambda: Subject(net(), (X, Y), loss_range=(0.0, float("inf"))), "expected two finite numbers"),
    "duplicates": (lambda: Subject(net(), (X, Y), duplicates="maybe"), "duplicates was 'maybe'"),
    "state dict": (lambda: WRONG(net().state_dict(), (X, Y)), "network was a OrderedDict; expected an nn.Module"),
    "no module": (lambda: WRONG(3, (X, Y)), "network was a int; expected an nn.Module"),
    "path": (lambda: WRONG("net.pt", (X, Y)), "network was a str; expected an nn.Module"),
    "a list of paths": (lambda: WRONG([net(), "b.pt"], (X, Y)), "network was a list that holds a str"),
    "loss of no kind": (lambda: WRONG(net(), (X, Y), loss=3), "loss was a int; expected one of cross-entropy"),
    "range of one": (lambda: WRONG(net(), (X, Y), loss_range=5), "loss_range was 5; expected two finite numbers"),
    "memory in words": (lambda: WRONG(net(), (X, Y), memory="1GB"), "memory was '1GB'; expected a positive number"),
    "no memory": (lambda: WRONG(net(), (X, Y), memory=0), "memory was 0; expected a positive number"),
    "one word of groups": (lambda: Subject([net(0), net(1)], (X, Y), groups="ab"), "groups has 1 words for 2 networks"),
    "column": (lambda: Subject(net(), (X, Y[:, None])), r"shape \(4, 1\); .* pass its one column"),
    "binary labels": (
        lambda: Subject(net(outputs=1), (X, Y + 1), loss="binary-cross-entropy"), "expected labels 0 and 1",
    ),
    "groups": (lambda: Subject(net(), (X, Y), groups=["a", "b"]), "groups has 2 words for 1 networks"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_measured_is_refused(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(Refusal, match=words):
        make()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Refusal, match="3 faults at once") as caught:
        Subject(spoilt(float("nan")), (GAP, Y), duplicates="maybe", loss_range=None)
    for words in ("'0.bias'", "train x has 1 NaN", "duplicates was 'maybe'"):
        assert words in str(caught.value)


def test_data_that_the_user_holds_are_not_copied_or_changed() -> None:
    x, y = X.clone(), Y.double()
    subject = Subject(net(), (x, y))
    assert subject.train.x.data_ptr() == x.data_ptr()
    assert y.dtype == torch.float64


def test_nested_lists_of_numbers_are_one_array() -> None:
    x, y = torch.randn(6, 4), torch.arange(6) % 2
    subject = Subject(nn.Linear(4, 2), (x.tolist(), y.tolist()))
    assert torch.equal(subject.train.x.float(), x)
    assert torch.equal(subject.train.y, y)
