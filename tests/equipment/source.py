"""The repository as text and as syntax trees, for the tests that judge the code's shape."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOUSES = ("protocol", "node")
# Other people's files, kept as they came.
VENDORED = "vendor"


def files(*suffixes: str, folders: tuple[str, ...] = HOUSES) -> Iterator[Path]:
    """Our own files below `folders` that end so, in a steady order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and VENDORED not in path.parts:
                yield path


def shown(path: Path, line: int | None = None) -> str:
    """A path as an editor opens it."""
    short = path.relative_to(ROOT).as_posix()
    return short if line is None else f"{short}:{line}"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module(path: Path) -> str:
    """`node/web/__init__.py` is the module `node.web`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules(house: str) -> frozenset[str]:
    return frozenset(module(path) for path in files(".py", folders=(house,)))


def imports(path: Path) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Every import anywhere in the file: module, line, and the names taken from it."""
    for statement in ast.walk(tree(path)):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.name, statement.lineno, ()
        elif isinstance(statement, ast.ImportFrom):
            names = tuple(alias.name for alias in statement.names)
            yield statement.module or "", statement.lineno, names


def our_imports(path: Path) -> Iterator[tuple[str, int]]:
    """The modules of our own houses that the file asks for, submodules taken by name included."""
    known = modules("protocol") | modules("node")
    for name, line, taken in imports(path):
        if name.partition(".")[0] not in HOUSES:
            continue
        submodules = [f"{name}.{one}" for one in taken if f"{name}.{one}" in known]
        for one in submodules:
            yield one, line
        # `from node.web import forms` asks for the submodule alone.
        if not taken or len(submodules) < len(taken):
            yield name, line


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for part in ast.walk(tree(path)):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part


def lesson(rule: str, findings: list[str]) -> str:
    """A failure message that says where, and why there is a rule."""
    return "\n  ".join(["", *findings]) + "\n\n" + rule
