"""Reading the files of the package: who imports whom."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import gapnet

T = TypeVar("T", bound=ast.AST)
PACKAGE = Path(gapnet.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS: list[list[str]] = PROJECT["tool"]["gapnet"]["layers"]
HEIGHT = {name: -row for row, names in enumerate(LAYERS) for name in names}
ENTRIES = ("__init__", "__main__")  # of the package itself: they may import anything


def name_of(path: Path) -> str:
    """Return the path of a file inside the package, such as `cli/app.py`."""
    return path.relative_to(PACKAGE).as_posix()


def package_of(path: Path) -> str:
    """Return the package, or single module, directly in gapnet/ that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes_of(path: Path, *kinds: type[T]) -> list[T]:
    """Return the nodes of a file that are of some kinds."""
    return [node for kind in kinds for node in _by_kind(path).get(kind, ())]


@cache
def _by_kind(path: Path) -> dict[type, list[ast.AST]]:
    """Walk a file once, and sort its nodes by their type."""
    nodes: dict[type, list[ast.AST]] = {}
    for node in ast.walk(tree_of(path)):
        nodes.setdefault(type(node), []).append(node)
    return nodes


def names_imported_by(path: Path) -> Iterator[str]:
    """Yield every module or object that a file imports, as a dotted name."""
    return imported_names(nodes_of(path, ast.Import, ast.ImportFrom))


def imported_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield every module or object that some nodes import, as a dotted name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def file_of(name: str) -> Path | None:
    """Return the file of gapnet that a dotted name comes from: a module, or one that defines it."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    place = PACKAGE.joinpath(*parts[1:])
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    parents = (place.parent / "__init__.py", place.parent.with_suffix(".py"))
    return next((path for path in (*candidates, *parents) if path.is_file()), None)


@cache
def imported_files(path: Path) -> set[Path]:
    """Return the files of gapnet that a file imports, also in functions and for type checkers."""
    files = {file_of(name) for name in names_imported_by(path)}
    return {file for file in files if file is not None} - {path}


def packages_imported(path: Path) -> set[str]:
    """Return the packages in gapnet/ that a file imports from, besides its own."""
    packages = {package_of(file) for file in imported_files(path)}
    return packages - {package_of(path), "__init__"}  # gapnet/__init__.py: the version
