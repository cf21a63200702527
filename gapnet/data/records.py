"""The images of a split as columns: compact for a million images, and shared by workers."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple, overload

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gapnet.data.record_table import LABELS, MULTI_LABEL_SCHEMA, SCHEMA, check_records
from gapnet.errors import reading


class Record(NamedTuple):
    """One image on disk and its ground truth.

    Boxes (n, 4) are inclusive, in pixels of the file as stored; None if it has no annotation. Masks
    are image files that cover the object, one per part of it; `ignore` is an image file of pixels
    that do not count. `labels` are all classes of the image, ascending, in multi-label data, where
    `label` is one of them and `boxes` are of that class; empty in other data.
    """

    id: str
    path: Path
    label: int
    boxes: Tensor | None
    masks: tuple[Path, ...] = ()
    ignore: Path | None = None
    blacklisted: bool = False
    labels: tuple[int, ...] = ()


class RaggedBoxes(NamedTuple):
    """Boxes (M, 4) of N images one after the other, and the number of boxes per image, (N,)."""

    xyxy: Tensor
    counts: Tensor


class Records(Sequence[Record]):
    """Records as columns; paths inside `root` are stored relative to it."""

    SCHEMA: ClassVar[pa.Schema] = SCHEMA

    def __init__(self, table: pa.Table, root: Path) -> None:
        """Store a table of the schema."""
        self.table, self.root = table, root

    @classmethod
    def of(cls, records: Iterable[Record], root: Path) -> "Records":
        """Make columns of records; that of several labels only if a record has `labels`."""
        rows = [_row(record, root) for record in records]
        schema = MULTI_LABEL_SCHEMA if any(row[LABELS] for row in rows) else SCHEMA
        return cls(pa.Table.from_pylist(rows, schema=schema), root)

    @classmethod
    def open(cls, path: Path, root: Path) -> "Records":
        """Map a file that `save` wrote into memory, and check every value of it."""
        with reading(path, "is no index of images", "write it again"):
            with pa.memory_map(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
            check_records(table)
        return cls(table, root)

    def save(self, path: Path) -> None:
        """Write an Arrow file."""
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, self.table.schema) as writer:
            writer.write_table(self.table)

    def __len__(self) -> int:
        """Count the images."""
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, row: int) -> Record: ...
    @overload
    def __getitem__(self, row: slice) -> "Records": ...
    def __getitem__(self, row: int | slice) -> "Record | Records":
        """Return one record, or several."""
        if isinstance(row, slice):
            return self.take(range(len(self))[row])
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._record(self.table.slice(row % len(self), 1).to_pylist()[0])

    def __iter__(self) -> Iterator[Record]:
        """Iterate over all records in order."""
        for batch in self.table.to_batches(max_chunksize=4096):
            yield from map(self._record, batch.to_pylist())

    def __eq__(self, other: object) -> bool:
        """Compare all columns."""
        return isinstance(other, Records) and bool(self.table.equals(other.table))

    __hash__ = None  # type: ignore[assignment]  # like a list

    def of_id(self, identity: str) -> Record:
        """Find the record of an id."""
        return self[self._rows[identity]]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {id_: row for row, id_ in enumerate(self.ids)}

    def take(self, rows: Sequence[int]) -> "Records":
        """Return the records of some rows."""
        return Records(self.table.take(pa.array(rows, pa.int64())), self.root)

    @property
    def ids(self) -> list[str]:
        """List the ids."""
        ids: list[str] = self.table["id"].to_pylist()
        return ids

    def paths(self) -> Iterator[Path]:
        """Iterate over the image files, without making a list of a million paths."""
        for batch in self.table.select(["path"]).to_batches(max_chunksize=4096):
            yield from (self.root / path for path in batch["path"].to_pylist())

    def mask_paths(self) -> Iterator[Path]:
        """Iterate over the files of masks and of ignored pixels."""
        for masks, ignore in zip(self.table["masks"], self.table["ignore"], strict=True):
            names = [*masks.as_py(), ignore.as_py()] if len(masks) or ignore.is_valid else []
            yield from (self.root / name for name in names if name is not None)

    @property
    def labels(self) -> Tensor:
        """Return the labels (N,)."""
        return torch.from_numpy(self.table["label"].to_numpy().astype(np.int64))

    @property
    def multi_label(self) -> bool:
        """Return whether the images may have several classes."""
        return LABELS in self.table.column_names

    @property
    def label_sets(self) -> list[list[int]]:
        """Return all classes of each image of multi-label data."""
        sets: list[list[int]] = self.table[LABELS].to_pylist()
        return sets

    @property
    def blacklisted(self) -> Tensor:
        """Return which images the devkit leaves out of localization, (N,)."""
        return torch.from_numpy(self.table["blacklisted"].to_numpy().copy())

    @property
    def boxed(self) -> Tensor:
        """Return which images have boxes, (N,)."""
        return torch.from_numpy(self.table["boxes"].is_valid().to_numpy().copy())

    @property
    def boxes(self) -> RaggedBoxes | None:
        """Return the boxes of all images; None if no image has any."""
        column = self.table["boxes"].combine_chunks()
        if column.null_count == len(column) > 0:
            return None
        flat = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, 4)
        counts = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False) // 4
        return RaggedBoxes(torch.from_numpy(flat.copy()), torch.from_numpy(counts.astype(np.int64)))

    def _record(self, row: dict[str, object]) -> Record:
        boxes, masks, ignore = row["boxes"], row["masks"], row["ignore"]
        labels = row.get(LABELS)
        return Record(
            id=str(row["id"]),
            path=self.root / str(row["path"]),
            label=int(str(row["label"])),
            boxes=None if boxes is None else torch.tensor(boxes, dtype=torch.float32).view(-1, 4),
            masks=tuple(self.root / str(mask) for mask in masks) if isinstance(masks, list) else (),
            ignore=None if ignore is None else self.root / str(ignore),
            blacklisted=bool(row["blacklisted"]),
            labels=tuple(labels) if isinstance(labels, list) else (),
        )


def _row(record: Record, root: Path) -> dict[str, object]:
    return {
        "id": record.id,
        "path": _inside(record.path, root),
        "label": record.label,
        "boxes": None if record.boxes is None else record.boxes.flatten().tolist(),
        "masks": [_inside(mask, root) for mask in record.masks],
        "ignore": None if record.ignore is None else _inside(record.ignore, root),
        "blacklisted": record.blacklisted,
        LABELS: list(record.labels),
    }


def _inside(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path.absolute())
