"""Checks of the image files of a split: do they exist, can they be read, do boxes fit?"""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from gapnet.data.index import work_through
from gapnet.data.loading.images import UnreadableImageError, read_image
from gapnet.data.options import Reading
from gapnet.data.readers.image_sizes import header_size
from gapnet.data.record_table import SCHEMA
from gapnet.data.records import Records
from gapnet.errors import GapnetError

Depth = Literal["headers", "all", "none"]
Trouble = Literal["missing", "unreadable", "outside"]

LOT = 64  # images that a process looks at before it reports
MANY = 8  # lots; fewer are looked at before as many processes have started
LOOKED_AT = pa.schema([SCHEMA.field(name) for name in ("path", "boxes", "masks", "ignore")])


def look_through(
    records: Records, split: str, *, depth: Depth, reading: Reading, workers: int | None
) -> list[tuple[Trouble, str]]:
    """Check all files of a split; return what is wrong with which."""
    # By path: images of a shard that has to be fetched come together.
    table = records.table.select(LOOKED_AT.names).sort_by("path").combine_chunks()
    lots = [batch.serialize().to_pybytes() for batch in table.to_batches(max_chunksize=LOT)]
    look = partial(_look_at, root=records.root, depth=depth, reading=reading)
    looked = work_through(look, lots, f"looking at {split}", workers=workers, many=MANY)
    return [trouble for lot in looked for trouble in lot]


def _look_at(
    lot: bytes, *, root: Path, depth: Depth, reading: Reading
) -> list[tuple[Trouble, str]]:
    rows = pa.ipc.read_record_batch(pa.py_buffer(lot), LOOKED_AT).to_pylist()
    troubles: list[tuple[Trouble, str]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a photograph's strange metadata are not its pixels
        for row in rows:
            beside = [*row["masks"], *filter(None, [row["ignore"]])]
            troubles += [("missing", mask) for mask in beside if not (root / mask).is_file()]
            trouble = _look(root / row["path"], row["boxes"], depth=depth, reading=reading)
            troubles += [(trouble, row["path"])] if trouble else []
    return troubles


def _look(
    path: Path, boxes: Sequence[float] | None, *, depth: Depth, reading: Reading
) -> Trouble | None:
    if reading.files.size(path) is None:
        return "missing"
    if depth == "none":
        return None
    try:
        height, width = _size(path, depth=depth, reading=reading)
    except UnreadableImageError:
        return "unreadable"
    except (GapnetError, MemoryError):  # a shard is wrong, or memory is full; the image is not
        raise
    except Exception:  # at bytes that make no sense, decoders raise anything
        return "unreadable"
    if not boxes:
        return None
    right, bottom = max(boxes[2::4]), max(boxes[3::4])  # some annotators counted pixels from 1
    return "outside" if min(boxes) < 0 or right > width or bottom > height else None


def _size(path: Path, *, depth: Depth, reading: Reading) -> tuple[int, int]:
    """Read (height, width) of the pixels that boxes refer to."""
    if depth == "all":
        image = read_image(path, exif=reading.exif, files=reading.files)
        return image.height, image.width
    return header_size(path, exif=reading.exif, files=reading.files)
