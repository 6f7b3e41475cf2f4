"""Is every numbered case of Google Calendar held by a test that bears its number? `python -m tests.cases` prints those that are not, and why.

The cases stand in functions/sync/CASES.md. A test holds a case where a comment or string says so ("case 47", "cases 3, 4 and 16", "cases 41 to 43"):
in the test or its class, directly above it, or in the table that it is parametrised with. Anywhere else a number is only a reference.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "functions" / "sync" / "CASES.md"
# The tests of the Google stand-in (tests/platform) say what Google does; what we do about it is shown by these.
TESTS = tuple(ROOT / "tests" / part for part in ("domain", "adapters", "system", "reliability"))
KNOWN = range(1, 161)
NOT_HANDLED = "Not handled: "

_ROW = re.compile(r"^\| *(?P<number>\d+) *\|(?P<what>[^|]*)\|(?P<answer>[^|]*)\|$", re.MULTILINE)
_MENTION = re.compile(r"\bcases?\s+(\d+(?:(?:,\s+and|,|\s+and|\s+to)\s+\d+)*)")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A line of the page: what happens in Google, and what we do about it, or why we do nothing."""

    number: int
    what: str
    answer: str

    @property
    def reason(self) -> str | None:
        """Why it is not handled; None where it is."""
        return self.answer.removeprefix(NOT_HANDLED) if self.answer.startswith(NOT_HANDLED) else None


@dataclass(frozen=True, kw_only=True)
class Mention:
    """`holds`: it stands with a test. `where`: a file and a line."""

    number: int
    where: str
    holds: bool


def cases_of(page: str) -> list[Case]:
    """The lines of the page's tables, in their order."""
    return [
        Case(number=int(row["number"]), what=row["what"].strip(), answer=row["answer"].strip())
        for row in _ROW.finditer(page)
    ]


def mentions_in(source: str, name: str) -> list[Mention]:
    """Every case that a module of tests names."""
    tests = _lines_of_tests(source)
    return [
        Mention(number=number, where=f"{name}:{line}", holds=line in tests)
        for line, text in _texts(source)
        for number in _numbers(text)
    ]


def _texts(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def _numbers(text: str) -> Iterator[int]:
    for found in _MENTION.finditer(text):
        before = 0
        for joint, digits in re.findall(r"(to)?\s*(\d+)", found[1]):
            number = int(digits)
            yield from range(before + 1 if joint else number, number + 1)
            before = number


def _lines_of_tests(source: str) -> set[int]:
    """The lines of tests and of the tables that they are parametrised with, and of the comments directly above either."""
    module = ast.parse(source)
    definitions = {name: node for node in module.body for name in _names(node)}
    waiting = [node for node in ast.walk(module) if _is_test(node)]
    nodes: list[ast.stmt] = []
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        for name in _tables(node):
            table = definitions.pop(name, None)
            if table is not None and not _is_test(table):
                waiting.append(table)
    text = source.splitlines()
    return {line for node in nodes for line in _lines(node, text)}


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _is_test(node: ast.AST) -> bool:
    """`TestWorld = World.TestCase` is one too, as Hypothesis has it."""
    return isinstance(node, ast.stmt) and any(name.startswith(("test_", "Test")) for name in _names(node))


def _tables(node: ast.stmt) -> set[str]:
    """The names that decide what a test is run with: those of its decorators; all of a table's own."""
    inside = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else [node]
    return {name.id for part in inside for name in ast.walk(part) if isinstance(name, ast.Name)}


def _lines(node: ast.stmt, text: Sequence[str]) -> range:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    while first > 1 and text[first - 2].lstrip().startswith("#"):
        first -= 1
    return range(first, (node.end_lineno or node.lineno) + 1)


def faults(cases: Sequence[Case], mentions: Collection[Mention]) -> list[str]:
    """What is wrong, a sentence each; nothing where every case is held or says why it is not."""
    numbers = [case.number for case in cases]
    held = {mention.number for mention in mentions if mention.holds}
    return [
        *(f"case {n} is not on the page" for n in KNOWN if n not in numbers),
        *(f"case {n} is on the page and nobody knows it" for n in sorted(set(numbers) - set(KNOWN))),
        *(f"case {n} is on the page more than once" for n in sorted({n for n in numbers if numbers.count(n) > 1})),
        *(f"{m.where}: there is no case {m.number}" for m in mentions if m.number not in KNOWN),
        *(f"case {c.number} has no test ({c.what})" for c in cases if c.reason is None and c.number not in held),
        *(f"case {c.number} has no reason" for c in cases if c.reason is not None and not c.reason.strip()),
        *(f"case {c.number} is held by a test; the page denies it" for c in cases if c.reason and c.number in held),
    ]


def every_mention(folders: Collection[Path] = TESTS) -> list[Mention]:
    files: Mapping[str, Path] = {
        str(path.relative_to(ROOT)): path for folder in folders for path in sorted(folder.rglob("*.py"))
    }
    return [mention for name, path in files.items() for mention in mentions_in(path.read_text(), name)]


def main() -> int:
    cases = cases_of(PAGE.read_text())
    wrong = faults(cases, every_mention())
    without = [case for case in cases if case.reason is not None]
    sys.stdout.write("".join(f"not handled: case {case.number}: {case.reason}\n" for case in without))
    sys.stderr.write("".join(f"{fault}\n" for fault in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
