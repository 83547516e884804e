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


@cache
def three_groups() -> dict[str, Any]:
    members = [cases.mlp(seed=seed) for seed in range(6)]
    return plain(audit(cases.together(members, groups=["one", "two", "three"] * 2), progress=False))


def many(members: int) -> dict[str, Any]:
    """The record of a population of many networks: the four of ``grouped`` over and over, their values spread a little."""
    record = json.loads(json.dumps(grouped()))
    record["subject"] |= {"members": members, "groups": [record["subject"]["groups"][m % 4] for m in range(members)]}

    def spread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        by_member = {m: [row for row in rows if row["member"] == m] for m in range(4)}
        numbers = [(m, {**row, "member": m}) for m in range(members) for row in by_member[m % 4]]
        return [
            {key: v * (1 + m * 1e-7) if isinstance(v, float) else v for key, v in row.items()} for m, row in numbers
        ]

    for table in ("readings", "certificates"):
        record[table] = spread(record[table])
    record["profiles"] = [{**profile, "rows": spread(profile["rows"])} for profile in record["profiles"]]
    return record


ALL = {"single": single, "grouped": grouped, "blind": blind, "refused": refused, "three groups": three_groups}
