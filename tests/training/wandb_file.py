"""A second reader of the files that W&B writes offline: LevelDB's log format with protobufs."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

START, BLOCK, HEAD = 7, 32_768, 7  # bytes: of the file's head, of a block, of a record's head
PATIENCE = 60  # seconds: W&B writes the end of a file after the run's end
FULL, LAST = 1, 4  # kinds of parts that end a record


def complete(path: Path) -> list[Record]:
    """Return the records of a run, when its end is written."""
    end = time.monotonic() + PATIENCE
    while (read := list(records(path)))[-1:] == [] or read[-1].WhichOneof("record_type") != "exit":
        assert time.monotonic() < end, path
        time.sleep(0.05)
    return read


def records(path: Path) -> Iterator[Record]:
    content, place, record = path.read_bytes(), START, b""
    assert content.startswith(b":W&B")
    while place + HEAD <= len(content):
        left = BLOCK - place % BLOCK
        if left < HEAD:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + HEAD])
        record += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (FULL, LAST):
            yield Record.FromString(record)
            record = b""


def history(path: Path) -> dict[int, dict[str, Any]]:
    """Return what was logged, by step."""
    rows: dict[int, dict[str, Any]] = {}
    for record in complete(path):
        if record.WhichOneof("record_type") == "history":
            items = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            rows.setdefault(record.history.step.num, {}).update(items)
    return rows


def begun(path: Path) -> Record:
    """Return the record of the run."""
    return next(each for each in complete(path) if each.WhichOneof("record_type") == "run")
