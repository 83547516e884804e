"""Records for figures and faces: one network, a population in groups, and one without test data."""

import json
from functools import cache
from typing import Any

from tests import cases

from heldout.verbs.audit import audit


def plain(result: Any) -> dict[str, Any]:
    """As a face gets it: through JSON."""
    return json.loads(json.dumps(result.to_dict(), allow_nan=False))


@cache
def single() -> dict[str, Any]:
    return plain(audit(cases.cnn().subject(name="one <b>network</b>"), progress=False))


@cache
def grouped() -> dict[str, Any]:
    members = [cases.mlp(seed=seed) for seed in range(4)]
    return plain(audit(cases.together(members, groups=["a", "a", "b & c", "b & c"]), progress=False))


@cache
def blind() -> dict[str, Any]:
    return plain(audit(cases.token_transformer().subject(test=None, initial=None), progress=False))


@cache
def refused() -> dict[str, Any]:
    return plain(audit(cases.mlp().subject(selected_on_test=True), progress=False))


ALL = {"single": single, "grouped": grouped, "blind": blind, "refused": refused}
