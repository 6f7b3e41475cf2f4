"""Secrets are compared in constant time: how long a refusal takes must not tell how much of a guess was right.

Held by the code's own words: nothing that is named like a secret, a proof or the hash of one, nor what has been given another name there, stands beside `==`,
`!=` or `in`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"(^|_)(secret|token|api_key|mac|proof|signature|password|nonce|verifier|csrf|hash)(_hash|s)?$")
# Named so and no secret: where Google's lists go on, and whether a request is the same as one before.
NO_SECRETS = {"sync_token", "page_token", "request_hash"}


def word(node: ast.AST) -> str:
    """The name that a part of the code goes by, such as `booking.manage_hash`; empty for what has none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{word(node.value)}.{node.attr}".lstrip(".")
    if isinstance(node, ast.Call):
        return word(node.func)
    return ""


def is_secret(node: ast.AST) -> bool:
    name = word(node).rpartition(".")[2]
    return bool(SECRET.search(name)) and name not in NO_SECRETS


def renamed(function: ast.AST) -> set[str]:
    """The names in it that stand for what has the name of a secret elsewhere."""
    given = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and is_secret(node.value)]
    return {word(target) for node in given for target in node.targets} - {""}


def compared(source: str) -> Iterator[str]:
    """What is compared with something that we make or keep, and named like a secret. With a constant, nothing can be learnt."""
    module = ast.parse(source)
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for part in (*functions, module):
        yield from compared_in(part, renamed(part) if part is not module else set())


def compared_in(part: ast.AST, also: set[str]) -> Iterator[str]:
    """`also`: the names of secrets in it that are not named like any."""
    for node in ast.walk(part):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            equal = any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops)
            if equal and not any(isinstance(side, ast.Constant) for side in sides):
                found = [side for side in sides if is_secret(side) or word(side) in also]
                yield from (f"{node.lineno}: {ast.unparse(node)}" for _ in found)


def test_nothing_named_like_a_secret_is_compared_byte_by_byte() -> None:
    sources = sorted((ROOT / "functions").rglob("*.py"))
    assert len(sources) > 100
    found = {path.relative_to(ROOT).as_posix(): [*compared(path.read_text())] for path in sources}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        "token == stored",
        "booking.manage_hash != secret_hash(token)",
        "presented in tokens",
        "a.nonce == claims['nonce']",
        "def lose():\n    sealed = connection.secret\n    return sealed != grant",
    ],
)
def test_such_a_comparison_would_be_found(code: str) -> None:
    assert [*compared(code)]
