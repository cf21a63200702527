"""The architecture: which package may import which, and which file may do what.

These tests read the text of every file of the package; nothing is imported.
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.imports import (
    ENTRIES,
    FILES,
    HEIGHT,
    LAYERS,
    PACKAGE,
    imported_files,
    imported_names,
    name_of,
    names_imported_by,
    nodes_of,
    package_of,
    packages_imported,
)

CONFIGURED = {"cli", "studies", "config"}  # packages that may see Hydra and OmegaConf
LIGHTNING_INTERNALS = "training/lightning_internals.py"
# With a leading underscore, but documented: of NamedTuple, of os, and a key of Hydra's nodes
PUBLIC = {"_asdict", "_fields", "_make", "_replace", "_exit", "_target_"}
COMMANDS = "cli/commands/"  # import late: `gapnet train --help` must not wait for torch
ENTRY = "__init__.py"  # imports late: nor must `import gapnet`
PROCESS_MODULES = {"fcntl", "multiprocessing", "subprocess"}
SYSTEM_CALLS = {
    *("os.fork", "os.kill", "os.rename", "os.replace", "shutil.move"),
    *("signal.pthread_sigmask", "signal.signal"),
}
TAPS = "models/taps.py"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


@cache
def names_defined_in(path: Path) -> set[str]:
    """Return what a file defines: functions, classes, variables and attributes of self."""
    names = {node.name for node in nodes_of(path, ast.FunctionDef, ast.ClassDef)}
    names |= {node.id for node in nodes_of(path, ast.Name) if isinstance(node.ctx, ast.Store)}
    stored = [node for node in nodes_of(path, ast.Attribute) if isinstance(node.ctx, ast.Store)]
    return names | {node.attr for node in stored if is_self(node.value)}


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


@cache
def names_defined_anywhere() -> set[str]:
    return set().union(*map(names_defined_in, FILES))


def foreign_private_attributes(path: Path) -> Iterator[str]:
    """Yield private attributes that the file does not define: another file or a library does.

    Those of `self` may be inherited from a class in another file of gapnet.
    """
    own, inherited = names_defined_in(path), names_defined_anywhere()
    for node in nodes_of(path, ast.Attribute):
        if not is_private(node.attr):
            continue
        known = inherited if is_self(node.value) else own
        if node.attr not in known:
            yield f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"


def is_system_call(call: ast.Call) -> bool:
    """Return whether a call is one of the list, or looks like Path.rename(p) or Path.replace(p)."""
    method = isinstance(call.func, ast.Attribute) and call.func.attr in {"rename", "replace"}
    renames = method and len(call.args) == 1 and not call.keywords
    return renames or dotted(call.func) in SYSTEM_CALLS


def dotted(node: ast.AST) -> str | None:
    """Return `module.name` of such a node."""
    named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return f"{node.value.id}.{node.attr}" if named else None


def system_calls(path: Path) -> Iterator[str]:
    for name in names_imported_by(path):
        if name.split(".")[0] in PROCESS_MODULES or name.endswith(".ProcessPoolExecutor"):
            yield f"{name_of(path)}: imports {name}"
    for call in filter(is_system_call, nodes_of(path, ast.Call)):
        yield f"{name_of(path)}:{call.lineno}: {ast.unparse(call)}"


def test_the_layers_list_every_package_once() -> None:
    listed = [name for names in LAYERS for name in names]
    assert sorted(listed) == sorted({package_of(path) for path in FILES} - {*ENTRIES})


def test_imports_between_packages_point_down() -> None:
    inner = [path for path in FILES if package_of(path) not in ENTRIES]
    wrong = [
        f"{name_of(path)} imports {other}"
        for path in inner
        for other in packages_imported(path)
        if HEIGHT[other] >= HEIGHT[package_of(path)]
    ]
    assert not wrong


def test_no_files_import_each_other_in_a_circle() -> None:
    TopologicalSorter({path: imported_files(path) for path in FILES}).prepare()


def test_hydra_and_omegaconf_stay_in_the_configured_packages() -> None:
    others = [path for path in FILES if package_of(path) not in CONFIGURED]
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in others
        for name in names_imported_by(path)
        if name.split(".")[0] in {"hydra", "omegaconf"}
    ]
    assert not wrong


def test_only_lightning_internals_imports_private_names() -> None:
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in FILES
        for name in names_imported_by(path)
        if is_private(name.rpartition(".")[2]) and name_of(path) != LIGHTNING_INTERNALS
    ]
    assert not wrong


def test_only_lightning_internals_uses_private_attributes_of_others() -> None:
    files = [path for path in FILES if name_of(path) != LIGHTNING_INTERNALS]
    assert not [line for path in files for line in foreign_private_attributes(path)]
    assert (
        len(list(foreign_private_attributes(PACKAGE / LIGHTNING_INTERNALS))) > 1
    )  # the check sees these


def test_only_system_starts_processes_renames_files_and_handles_signals() -> None:
    files = [path for path in FILES if package_of(path) != "system"]
    assert not [line for path in files for line in system_calls(path)]
    assert list(system_calls(PACKAGE / "system" / "files.py"))  # the check sees these


def test_imports_stand_at_the_top_of_a_file() -> None:
    files = [path for path in FILES if not name_of(path).startswith(COMMANDS)]
    wrong = [
        f"{name_of(path)}: {function.name} imports {name}"
        for path in files
        for function in nodes_of(path, ast.FunctionDef)
        for name in imported_names(ast.walk(function))
        if name_of(path) != ENTRY
    ]
    assert not wrong


@pytest.mark.skipif(not (PACKAGE / TAPS).exists(), reason=f"there is no {TAPS} yet")
def test_only_taps_hook_modules() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}: {node.attr}"
        for path in FILES
        for node in nodes_of(path, ast.Attribute)
        if node.attr.startswith("register_") and node.attr.endswith("_hook")
        if name_of(path) != TAPS
    ]
    assert not wrong
