"""Secrets are compared in constant time: how long a refusal takes must not tell how much of a guess was right.

Held by the code's own words: nothing that is named like a secret, a proof or the hash of one stands beside `==`, `!=`, `in` or `startswith`.
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


def compared(source: str) -> Iterator[str]:
    """What is compared with something that we make or keep, and named like a secret. With a constant, nothing can be learnt."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            equal = any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops)
            if equal and not any(isinstance(side, ast.Constant) for side in sides):
                yield from (f"{node.lineno}: {ast.unparse(node)}" for side in sides if is_secret(side))


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
    ],
)
def test_such_a_comparison_would_be_found(code: str) -> None:
    assert [*compared(code)]
