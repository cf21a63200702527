"""Lists the finished pictures of a folder, so that a repeated command skips them."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gapnet.explanations.box_table import Row
from gapnet.system.files import write_file

FILE = "finished.jsonl"
FileState = list[int]


class FinishedPictures:
    """Rows of finished pictures, in a file with one line of JSON per picture.

    Args:
        folder: of the file.
        key: digest of all that the pictures and rows depend on; lines of another key are dropped.
    """

    def __init__(self, folder: Path, key: str) -> None:
        """Read the file, if there is one."""
        self.path = folder / FILE
        self.key = key
        self.lines = {line["image"]: line for line in self._read()}
        self.is_open = False

    def rows(self, image: str, file: Path) -> list[Row] | None:
        """Return the rows of a picture; None if it is not finished, or its file has changed."""
        line = self.lines.get(image)
        if line is None or line.get("file") != file_state(file):
            return None
        try:
            return [Row(**_tuples(row)) for row in line["rows"]]
        except (TypeError, AttributeError):  # damaged, or written by another version
            return None

    def add(self, image: str, file: Path, rows: list[Row]) -> None:
        """Append a finished picture."""
        self._open()
        line = {"image": image, "file": file_state(file), "rows": [row._asdict() for row in rows]}
        with self.path.open("a", encoding="utf-8") as file_of_lines:
            file_of_lines.write(json.dumps(line) + "\n")

    def _open(self) -> None:
        """Write the key and the valid lines, before the first new line."""
        if not self.is_open:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = [{"key": self.key}, *self.lines.values()]
            write_file(self.path, "".join(json.dumps(line) + "\n" for line in lines))
            self.is_open = True

    def _read(self) -> Iterator[dict[str, Any]]:
        if not self.path.is_file():
            return
        text = self.path.read_text(encoding="utf-8", errors="replace")
        first, *others = text.splitlines() or [""]
        if _parsed(first).get("key") == self.key:
            yield from filter(_is_whole, map(_parsed, others))


def file_state(file: Path) -> FileState:
    """Return the size and the modification time of a file."""
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _parsed(line: str) -> dict[str, Any]:
    """Return a line of JSON; an empty one if it was cut off."""
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return {}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with tuples, as it was before it was written as JSON."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _is_whole(line: dict[str, Any]) -> bool:
    return isinstance(line.get("image"), str) and isinstance(line.get("rows"), list)
