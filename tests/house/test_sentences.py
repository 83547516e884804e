"""Every status and every refusal says what happened, what was expected and what to do."""

import ast

import pytest
from tests.house.source import calls, modules

from heldout.records import Status

#: Errors that a user of the library can never meet, or that Python's own protocol asks for.
ALLOWED_RAISES = {
    "heldout": {"AttributeError"},  # what __getattr__ must raise
    "heldout.records": {"AttributeError"},  # likewise
    "heldout.faces.web.answers": {"HTTPException"},  # answers to a browser, each of which becomes a page with a sentence
    "heldout.faces.web.site": {"HTTPException"},
    "heldout.faces.cli.outputs": {"NotWritten"},  # a disk that is full is no fault of the input; it is one sentence too
}
OURS = {"Refusal", "NotApplicable"}


@pytest.mark.parametrize("status", Status, ids=lambda status: status.code)
def test_a_status_is_three_sentences(status: Status) -> None:
    assert status.code == status.code.lower().replace(" ", "-")
    for sentence in (status.happened, status.causes, status.do):
        assert len(sentence.split()) >= 2
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert Status.of(status.code) is status


def test_every_status_has_words_of_its_own() -> None:
    assert len({status.code for status in Status}) == len({status.happened for status in Status}) == len(Status)


def test_every_refusal_says_given_expected_do() -> None:
    faults = []
    for module, tree in modules().items():
        for call in calls(tree, {"Refusal"}):
            said = {keyword.arg: keyword.value for keyword in call.keywords}
            if None in said:  # Refusal(**words(...)): the words are written by a function of the same file
                said = _written_by(said[None], tree)
            if set(said) != {"given", "expected", "do"} or any(map(_empty, said.values())):
                faults.append(f"{module}, line {call.lineno}: {sorted(map(str, said))}")
        for call in calls(tree, {"NotApplicable"}):
            words = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in ("reason", "do"))]
            if len(words) != 2 or any(map(_empty, words)):
                faults.append(f"{module}, line {call.lineno}: reason and do")
    assert faults == []


def test_nothing_else_is_raised_where_a_user_can_meet_it() -> None:
    faults = []
    for module, tree in modules().items():
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        caught = {node for block in ast.walk(tree) if isinstance(block, ast.Try) and block.handlers
                  for statement in block.body for node in ast.walk(statement)}  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node not in caught:
                name = ast.unparse(node.exc.func).split(".")[-1]
                if name not in OURS | own | ALLOWED_RAISES.get(module, set()) and name[0].isupper():
                    faults.append(f"{module}, line {node.lineno}: raises {name}")
    assert faults == []


def test_no_sentence_ends_twice() -> None:
    """``Refusal`` writes the full stop itself."""
    faults = []
    for module, tree in modules().items():
        for call in calls(tree, {"Refusal"}):
            for keyword in call.keywords:
                if isinstance(keyword.value, ast.Constant) and str(keyword.value.value).rstrip().endswith("."):
                    faults.append(f"{module}, line {call.lineno}: {keyword.arg}")
    assert faults == []


def _written_by(value: ast.expr, tree: ast.Module) -> dict[str | None, ast.expr]:
    """The keys and values of the dictionary that a function of this file returns."""
    name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name == name:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                    pairs = zip(node.value.keys, node.value.values, strict=True)
                    return {str(key.value): entry for key, entry in pairs if isinstance(key, ast.Constant)}
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
                    return {keyword.arg: keyword.value for keyword in node.value.keywords}
    return {}


def _empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not str(node.value).strip()
