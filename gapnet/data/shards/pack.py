"""Write the shards of a split, with WebDataset's own writer of tar files."""

import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from webdataset.writer import TarWriter

from gapnet.data.checks.digests import sha256_of
from gapnet.data.file_names import plain_word
from gapnet.data.image_files import Files
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.shards.manifest import File
from gapnet.data.shards.tar_files import ByteRange
from gapnet.errors import GapnetError, reason
from gapnet.system.files import atomic_file

LONGEST = 60  # characters of an image's name that go into its key


class Lot(NamedTuple):
    """Content of a shard: records, and their rows in the split."""

    name: str
    rows: list[int]
    records: Records


class Written(NamedTuple):
    """A written shard: its entry in the manifest, and the paths of its images by row."""

    file: File
    paths: dict[int, str]


@dataclass(frozen=True)
class Packer:
    """Writes lots as shards into a folder; it can be pickled for other processes."""

    folder: Path
    files: Files
    classes: Sequence[str]

    def __call__(self, lot: Lot) -> Written:
        """Write a shard, unless it exists: a shard has its final name only when it is complete."""
        path = self.folder / lot.name
        if not path.exists():
            with atomic_file(path) as unfinished, unfinished.open("wb") as file:
                self._write(lot, file)
        written = describe(path)
        if sorted(written.paths) != sorted(lot.rows):
            raise GapnetError(f"{path}: was written for other images; delete it")
        return written

    def _write(self, lot: Lot, file: BinaryIO) -> None:
        with TarWriter(file, encoder=False, mtime=0) as tar:
            for row, record in zip(lot.rows, lot.records, strict=True):
                tar.write(self._sample(row, record))

    def _sample(self, row: int, record: Record) -> dict[str, str | bytes]:
        """Make a sample of WebDataset: the bytes as they are, and the truth."""
        truth = {
            "id": record.id,
            "label": None if record.label == UNKNOWN else record.label,
            "class": None if record.label == UNKNOWN else self.classes[record.label],
            "boxes": None if record.boxes is None else record.boxes.tolist(),
            "blacklisted": record.blacklisted,
        }
        if record.labels:
            truth["labels"] = list(record.labels)
        try:
            with self.files.open(record.path) as file:
                content = file.read()
        except FileNotFoundError as error:
            raise GapnetError(
                f"{record.path}: no such image, but its split lists it; restore it"
            ) from error
        except OSError as error:
            raise GapnetError(f"{record.path}: cannot be read ({reason(error)})") from error
        kind = plain_word(record.path.suffix, between="").lower() or "img"
        return {
            "__key__": sample_key(row, record),
            kind: content,
            "json": json.dumps(truth).encode(),
        }


def sample_key(row: int, record: Record) -> str:
    """Return the key of a sample: its row, for names may repeat, and its name without dots.

    >>> sample_key(7, Record("001.Black/Black_1.2.jpg", Path("001.Black/Black_1.2.jpg"), 0, None))
    '00000007_Black_1_2'
    """
    return f"{row:08d}_{plain_word(Path(record.id).stem)[:LONGEST]}"


def describe(path: Path) -> Written:
    """Return the entry of a shard in the manifest, and the paths of its images."""
    paths = {}
    try:
        with tarfile.open(path) as tar:
            members = [member for member in tar if not member.name.endswith(".json")]
    except tarfile.TarError as error:
        raise GapnetError(f"{path}: is not a tar file ({error}); delete it") from error
    for member in members:
        span = ByteRange(path.name, member.offset_data, member.size)
        paths[int(member.name.partition("_")[0])] = span.path(member.name)
    return Written(File(path.name, len(paths), path.stat().st_size, sha256_of(path)), paths)
