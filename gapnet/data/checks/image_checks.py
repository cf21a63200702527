"""Checks of the image files of a split: do they exist, can they be read, do boxes fit?"""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from gapnet.data.index import parallel_map
from gapnet.data.loading.images import UnreadableImageError, read_image
from gapnet.data.options import Reading
from gapnet.data.readers.image_sizes import header_size
from gapnet.data.record_table import SCHEMA
from gapnet.data.records import Records
from gapnet.errors import GapnetError

Depth = Literal["headers", "all", "none"]
Trouble = Literal["missing", "unreadable", "outside"]

LOT = 64  # images that a process checks before it reports
MANY = 8  # lots; one process checks fewer before the others have started
COLUMNS = pa.schema([SCHEMA.field(name) for name in ("path", "boxes", "masks", "ignore")])


def check_images(
    records: Records, split: str, *, depth: Depth, reading: Reading, workers: int | None
) -> list[tuple[Trouble, str]]:
    """Check all image files of a split; return the kind and the path of every problem."""
    # Sorted by path, so that the images of a shard that has to be fetched are read together.
    table = records.table.select(COLUMNS.names).sort_by("path").combine_chunks()
    lots = [batch.serialize().to_pybytes() for batch in table.to_batches(max_chunksize=LOT)]
    check = partial(_check_lot, root=records.root, depth=depth, reading=reading)
    results = parallel_map(check, lots, f"checking images of {split}", workers=workers, many=MANY)
    return [trouble for troubles in results for trouble in troubles]


def _check_lot(
    lot: bytes, *, root: Path, depth: Depth, reading: Reading
) -> list[tuple[Trouble, str]]:
    rows = pa.ipc.read_record_batch(pa.py_buffer(lot), COLUMNS).to_pylist()
    troubles: list[tuple[Trouble, str]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which do not matter here
        for row in rows:
            beside = [*row["masks"], *filter(None, [row["ignore"]])]
            troubles += [("missing", mask) for mask in beside if not (root / mask).is_file()]
            trouble = _check(root / row["path"], row["boxes"], depth=depth, reading=reading)
            troubles += [(trouble, row["path"])] if trouble else []
    return troubles


def _check(
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
    except (GapnetError, MemoryError):  # the shard or the memory is the cause, not the image
        raise
    except Exception:  # decoders raise anything at invalid bytes
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
