"""An index of shards with values that cannot be: one line names the file, and nothing crashes."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gapnet.data.checks.examine import examine
from gapnet.data.record_table import SCHEMA
from gapnet.data.records import Records
from gapnet.data.shards.manifest import MANIFEST
from gapnet.data.sources.shards import Shards
from tests.refusals import refused

Rows = list[dict[str, Any]]


@pytest.fixture
def shards(written: Path, tmp_path: Path) -> Path:
    """Copy the shards, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "shards"))


def list_again(shards: Path) -> None:
    """Have the manifest list the index of val as it is now."""
    manifest = json.loads((shards / MANIFEST).read_text())
    content = (shards / "val.arrow").read_bytes()
    manifest["splits"]["val"]["index"] |= {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (shards / MANIFEST).write_text(json.dumps(manifest))


def write_table(shards: Path, table: pa.Table) -> None:
    path = str(shards / "val.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    list_again(shards)


def change_rows(shards: Path, change: Callable[[Rows], object]) -> None:
    rows = Shards(shards).records("val").table.to_pylist()
    change(rows)
    write_table(shards, pa.Table.from_pylist(rows, schema=SCHEMA))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda rows: rows[0].update(label=3), "label 3"),
        (lambda rows: rows[0].update(label=-2), "label"),
        (lambda rows: rows[0].update(label=None), "label"),
        (lambda rows: rows[0].update(id=None), "id"),
        (lambda rows: rows[0].update(id=""), "id"),
        (lambda rows: rows[0].update(blacklisted=None), "blacklisted"),
        (lambda rows: rows[0].update(boxes=[1.0, 2.0, 3.0]), "box"),
        (lambda rows: rows[0].update(boxes=[1.0, 2.0, 3.0, None]), "box"),
        (lambda rows: rows[0].update(boxes=[1.0, 2.0, 3.0, float("nan")]), "box"),
        (lambda rows: rows[0].update(boxes=[1.0, 2.0, 3.0, float("inf")]), "box"),
        (lambda rows: rows[0].update(boxes=[1.0, 2.0, 3.0, 1e30]), "box"),
        (lambda rows: rows[0].update(masks=["/etc/passwd"]), "masks"),
        (lambda rows: rows[0].update(masks=[None]), "mask"),
        (lambda rows: rows[0].update(ignore="/etc/passwd"), "masks"),
        (lambda rows: rows[0].update(path=None), "path"),
        (lambda rows: rows[0].update(path="/etc/passwd"), "path '/etc/passwd'"),
        (lambda rows: rows[0].update(path="../val-000000.tar/0+9/x"), "path"),
        (lambda rows: rows[0].update(path="val-000000.tar/-9+9/x"), "path"),
        (lambda rows: rows[0].update(path=f"val-000000.tar/{'9' * 30}+9/x"), "path"),
        (lambda rows: rows[0].update(path="train_cls-000000.tar/0+9/x"), "train_cls-000000.tar"),
        (lambda rows: rows[0].update(path="val-000000.tar/512+99999999/x"), "val-000000.tar"),
        (lambda rows: rows.pop(), "rows"),
        (lambda rows: rows.clear(), "rows"),
    ],
)
def test_values_that_cannot_be_are_refused(
    shards: Path, change: Callable[[Rows], object], part: str
) -> None:
    change_rows(shards, change)
    with refused(shards / "val.arrow", part):
        Shards(shards).records("val")


def test_other_columns_are_refused(shards: Path) -> None:
    table = Shards(shards).records("val").table
    write_table(shards, table.append_column("more", [[0] * len(table)]))
    with refused(shards / "val.arrow", "columns"):
        Shards(shards).records("val")


def wrong_offsets() -> pa.Array:
    """Build texts whose offsets point far outside their bytes."""
    offsets = pa.array([0, 2**30] + [3] * 11, pa.int32())
    return pa.StringArray.from_buffers(12, offsets.buffers()[1], pa.py_buffer(b"abc"))


def test_offsets_outside_the_file_are_refused(shards: Path) -> None:
    table = Shards(shards).records("val").table
    write_table(shards, table.set_column(0, "id", wrong_offsets()))
    with refused(shards / "val.arrow"):
        Shards(shards).records("val")


def test_the_doctor_names_an_index_with_wrong_offsets(shards: Path) -> None:
    table = Shards(shards).records("val").table
    write_table(shards, table.set_column(0, "id", wrong_offsets()))
    (wrong,) = [
        finding.text for finding in examine(Shards(shards), workers=1) if finding.status == "wrong"
    ]
    assert str(shards / "val.arrow") in wrong


def test_a_truncated_index_is_refused(written: Path, tmp_path: Path) -> None:
    content = (written / "val.arrow").read_bytes()
    for length in range(0, len(content), len(content) // 20):
        (tmp_path / "x.arrow").write_bytes(content[:length])
        with refused("x.arrow"):
            Records.open(tmp_path / "x.arrow", tmp_path)


def test_deep_json_in_a_manifest_is_one_line(shards: Path) -> None:
    (shards / MANIFEST).write_text("[" * 100_000)
    with refused(shards / MANIFEST):
        Shards(shards)


def test_a_manifest_of_any_size_is_not_read(shards: Path) -> None:
    with (shards / MANIFEST).open("r+b") as file:
        file.truncate(2**40)  # sparse
    with refused(shards / MANIFEST):
        Shards(shards)
