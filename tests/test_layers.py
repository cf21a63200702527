"""An import points strictly downwards, and rooms of one layer do not know each other."""

import ast
from pathlib import Path

import pytest

import gapnet

PACKAGE = Path(gapnet.__file__).parent
LAYERS = [
    {"plain_text", "redact"},
    {"errors", "console", "identity", "spreadsheet"},
    {"child_process", "layout", "processes", "progress"},
    {"folders", "workers"},
    {"ops"},
    {"models", "data", "metrics"},
    {"saliency"},
    {"localization"},
    {"training", "evaluation"},
    {"report"},
    {"cli"},
    {"__main__"},
]
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gapnet"):
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            rooms |= {parts[1] for parts in names if parts[0] == "gapnet" and len(parts) > 1}
    return {
        room for room in rooms if (PACKAGE / room).exists() or (PACKAGE / f"{room}.py").exists()
    }


def test_every_room_has_a_layer() -> None:
    assert {room_of(path) for path in FILES} == set(HEIGHT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    for other in imported_rooms(path) - {room}:
        assert HEIGHT[other] < HEIGHT[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_knows_hydra(path: Path) -> None:
    if room_of(path) != "cli":
        text = path.read_text(encoding="utf-8")
        assert "omegaconf" not in text
        assert "import hydra" not in text
