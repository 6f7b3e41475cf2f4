"""Imports point one way, and the domain knows neither clock, chance, environment nor network."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("booking", "webhook", "sync")

# A module the domain must not touch, or a name of one that it may.
IMPURE = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.sleep",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "uuid.uuid1",
        "uuid.uuid4",
        "uuid4",
        "os.environ",
        "os.getenv",
        "os.urandom",
        "open",
        "input",
        "print",
    }
)
IMPURE_MODULES = frozenset(
    {"os", "time", "random", "secrets", "uuid", "socket", "ssl", "http", "urllib", "subprocess", "threading", "asyncio"}
    | {"logging", "pathlib", "io", "tempfile", "shutil", "sys", "platform", "importlib", "multiprocessing"}
)


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return found


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at whatever depth; relative imports are refused by the linter."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


# What is run by hand, to compare engines: it reads a file and a clock, and nothing of the domain knows of it.
PROGRAM = ROOT / "functions/domain/availability/__main__.py"
RULES = [path for path in modules("functions/domain") if path != PROGRAM]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
class TestDomain:
    def test_it_imports_only_the_standard_library_pydantic_dateutil_and_itself(self, path: Path) -> None:
        foreign = {
            name
            for name in imported(path)
            if name.split(".")[0] not in sys.stdlib_module_names | {"pydantic", "dateutil"}
            and not below(name, "functions.domain")
        }
        assert foreign == set()

    def test_it_imports_nothing_that_touches_the_world(self, path: Path) -> None:
        assert {name for name in imported(path) if name.split(".")[0] in IMPURE_MODULES} == set()

    def test_it_asks_for_no_clock_no_chance_no_environment_and_no_file(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        used = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
        assert {name for name in used if any(name == bad or name.endswith(f".{bad}") for bad in IMPURE)} == set()


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        *((f"functions/{one}", f"functions.{other}") for one in FUNCTIONS for other in FUNCTIONS if one != other),
        *(("functions/adapters", f"functions.{name}") for name in FUNCTIONS),
        *((f"functions/{name}", "infra") for name in ("domain", "adapters", *FUNCTIONS)),
        *((f"functions/{name}", "tests") for name in ("domain", "adapters", *FUNCTIONS)),
        ("infra/local", "functions"),
    ],
    ids=lambda value: value.replace("/", "."),
)
def test_imports_point_one_way(folder: str, forbidden: str) -> None:
    crossing = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imported(path)
        if below(name, forbidden)
    }
    assert crossing == set()
