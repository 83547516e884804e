"""Designs: axes, levels, configurations, pairs that differ in one axis, parts of a ledger."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.judging import designed


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=14))
def test_pairs_that_differ_in_one_axis_are_those_and_no_others(rows: list[tuple[int, int, int]]) -> None:
    design = designed({f"a{i}": np.array(column) for i, column in enumerate(zip(*rows, strict=True))})
    pairs = design.one_axis
    found = {(min(i, j), max(i, j), a) for i, j, a in zip(pairs.first, pairs.second, pairs.axis, strict=True)}
    expected = set()
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            apart = [a for a in range(len(design.axes)) if design.codes[i, a] != design.codes[j, a]]
            if len(apart) == 1:
                expected.add((i, j, apart[0]))
    assert found == expected
    assert len(pairs.first) == len(expected)
    for i, j, a, group in zip(pairs.first, pairs.second, pairs.axis, pairs.group, strict=True):
        same = (pairs.group == group) & (pairs.axis != a)
        assert not same.any()
        assert (np.delete(design.codes[i], a) == np.delete(design.codes[j], a)).all()


def test_what_never_varies_is_no_axis_and_words_are_levels() -> None:
    design = designed({
        "width": np.array([8, 8, 16]),
        "optimizer": np.array(["sgd", "adam", "sgd"]),
        "depth": np.array([2, 2, 2]),
    })
    assert design.axes == ("width", "optimizer")
    assert design.levels == (2, 2)
    assert len(set(design.configurations)) == 3
    assert len(design.pairs.first) == 3


def test_a_part_of_a_ledger_drops_axes_that_no_longer_vary() -> None:
    design = designed({"a": np.array([0, 0, 1, 1]), "b": np.array([0, 1, 0, 1])})
    part = design.take(np.array([0, 1]))
    assert part.axes == ("b",)
    assert part.networks == 2
    assert part.take(np.array([0])).axes == ()
    assert len(part.take(np.array([0])).one_axis.first) == 0


def test_words_beside_empty_cells_and_numbers_are_values_like_others() -> None:
    for values in (["sgd", np.nan, "adam", "sgd"], [None, 1, 2, None], [[8, 8], [8], [8, 8], None]):
        column = np.empty(4, dtype=object)
        column[:] = values
        assert designed({"a": column}).levels == (3,)
