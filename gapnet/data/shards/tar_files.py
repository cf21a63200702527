"""Images in tar shards, read by the position of their bytes.

A record's path is SHARD/OFFSET+SIZE/NAME: the range of its bytes in a shard. So any image is read
at once and by itself, and the order of a training depends on neither shards nor workers.
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
    """Shard of an image, and the range of its bytes in it."""

    shard: str
    offset: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "ByteRange":
        """Return the range that a record's path names.

        >>> ByteRange.of(Path("root/val-000000.tar/512+9000/00000000_cat.jpeg"))
        ByteRange(shard='val-000000.tar', offset=512, size=9000)
        """
        shard, span, _ = path.parts[-3:]
        offset, _, size = span.partition("+")
        return cls(shard, int(offset), int(size))

    def path(self, name: str) -> str:
        """Return the range as a record's path, with a name for people."""
        return f"{self.shard}/{self.offset}+{self.size}/{name}"


@dataclass(frozen=True)
class Tars:
    """Read images from shards in a folder or at a URL.

    Nothing is kept open: processes share no handle, and a shard that was removed to make room for
    others is fetched again.

    Args:
        folder: where the shards lie; not used with an origin.
        listed: what the manifest lists, by name.
        origin: fetches files into a cache; None: they must lie in the folder.
        mixed: so many shards at a time are shuffled together; None: all.
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
        """Return the rows of each shard."""
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
                f"{path}: is not there, though {MANIFEST} lists it; copy it there"
            ) from error
        found = os.fstat(opened.fileno()).st_size
        if found != file.bytes:
            opened.close()
            again = "copy it there again" if self.origin is None else "delete it"
            raise GapnetError(
                f"{path}: has {found:,} bytes, and {MANIFEST} says {file.bytes:,}; {again}"
            )
        return opened
