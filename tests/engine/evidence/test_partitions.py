"""Cells against a loop over examples."""

import pytest
import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.records import NotApplicable


def test_against_a_loop_over_examples() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=5)
    found, n = evidence["partitioned"], len(case.train[1])
    planes = int(torch.log2(torch.tensor(float(n))).item() / 2)
    directions = torch.randn(case.train[0].shape[1], planes, generator=stream(5, "hyperplanes"))
    x, y = torch.cat([case.train[0], case.test[0]]), torch.cat([case.train[1], case.test[1]])
    wrong = (case.network(x).argmax(1) != y).tolist()
    cells: dict[tuple[object, ...], list[int]] = {}
    for i in range(len(x)):
        cells.setdefault((*(x[i] @ directions > 0).tolist(), int(y[i])), []).append(i)
    spans = {
        i: max(wrong[j] for j in members) - min(wrong[j] for j in members)
        for members in cells.values()
        for i in members
    }
    assert found.cells == 3 * 2**planes
    assert found.largest[0] == max(spans[i] for i in range(n))
    assert found.mean[0] == pytest.approx(sum(spans[i] for i in range(n)) / n)


def test_words_have_no_cells() -> None:
    with pytest.raises(NotApplicable, match="real inputs"):
        Evidence(cases.token_transformer().subject())["partitioned"]
