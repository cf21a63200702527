"""Ids under which other programs, such as W&B, know a run; a resumed training reads them."""

import json
import re
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.runs.layout import TRACKED
from gapnet.system.files import read_json, write_file

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def tracked_id(folder: Path, program: str) -> str | None:
    """Return the id of a run in a program; None if the run is new to the program."""
    value = _all(folder).get(program)
    if value is not None and not (isinstance(value, str) and ID.fullmatch(value)):
        path = folder / TRACKED
        raise GapnetError(f"{path}: {program}={value!r}: is not a valid id; remove the file")
    return value


def save_tracked_id(folder: Path, program: str, value: str) -> None:
    """Write the id of a run in a program."""
    path = folder / TRACKED
    path.parent.mkdir(exist_ok=True)
    write_file(path, json.dumps(_all(folder) | {program: value}, indent=2) + "\n")


def _all(folder: Path) -> dict[str, object]:
    path = folder / TRACKED
    values = read_json(path) if path.is_file() else {}
    if not isinstance(values, dict):
        raise GapnetError(f"{path}: must be a mapping of programs to ids; remove the file")
    return values
