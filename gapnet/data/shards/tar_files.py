"""Images in tar shards, read by their position.

A record's path is SHARD/OFFSET+SIZE/NAME, the position of its bytes in a shard. So any image can be
read alone, and the order of a training depends on neither shards nor workers.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow.compute as pc
import torch

from gapnet.data.loading.order import Chunks
from gapnet.data.records import Records
from gapnet.data.shards.fetch import Origin
from gapnet.data.shards.manifest import MANIFEST, File
from gapnet.errors import GapnetError


class ByteRange(NamedTuple):
    """Range of the bytes of an image in a shard."""

    shard: str
    offset: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "ByteRange":
        """Parse the path of a record.

        >>> ByteRange.of(Path("root/val-000000.tar/512+9000/00000000_cat.jpeg"))
        ByteRange(shard='val-000000.tar', offset=512, size=9000)
        """
        shard, span, _ = path.parts[-3:]
        offset, _, size = span.partition("+")
        return cls(shard, int(offset), int(size))

    def path(self, name: str) -> str:
        """Return the path of a record; `name` is for people."""
        return f"{self.shard}/{self.offset}+{self.size}/{name}"


@dataclass(frozen=True)
class Tars:
    """Read images from shards in a folder or at a URL.

    No file stays open: processes share no handle, and a shard that was deleted to make room for
    others is fetched again.

    Args:
        folder: folder of the shards; not used with an origin.
        listed: the files of the manifest, by name.
        origin: fetches files into a cache; None: the files are in the folder.
        mixed: number of shards that are shuffled together; None: all.
    """

    folder: Path
    listed: Mapping[str, File]
    origin: Origin | None
    mixed: int | None

    def open(self, path: Path) -> BinaryIO:
        """Read an image."""
        span = ByteRange.of(path)
        with self.opened(self.listed[span.shard]) as file:
            file.seek(span.offset)
            return BytesIO(file.read(span.size))

    def size(self, path: Path) -> int | None:
        """Return the size of an image in bytes; its shard was checked when the split was listed."""
        span = ByteRange.of(path)
        return span.size if span.shard in self.listed else None

    def chunks(self, records: Records) -> Chunks | None:
        """Return the rows of every shard."""
        if self.mixed is None:
            return None
        names = pc.list_element(pc.split_pattern(records.table["path"], "/", max_splits=1), 0)
        codes = names.combine_chunks().dictionary_encode().indices.to_numpy()
        by_shard, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
        return Chunks(torch.split(torch.from_numpy(by_shard), counts.tolist()), self.mixed)

    def path(self, file: File) -> Path:
        """Return the path of a file that the manifest lists."""
        return self.folder / file.name if self.origin is None else self.origin.cache.path(file)

    def opened(self, file: File) -> BinaryIO:
        """Open a file that the manifest lists, and check its size."""
        path = self.path(file)
        try:
            opened = path.open("rb") if self.origin is None else self.origin.open(file)
        except FileNotFoundError as error:
            raise GapnetError(
                f"{path}: no such file, and {MANIFEST} lists it; copy it there"
            ) from error
        size = os.fstat(opened.fileno()).st_size
        if size != file.bytes:
            opened.close()
            again = "copy it there again" if self.origin is None else "delete it"
            raise GapnetError(f"{path}: has {size:,} bytes, {file.bytes:,} in {MANIFEST}; {again}")
        return opened
