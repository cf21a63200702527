"""Images in tar shards, each found by its place.

A record's path is SHARD/OFFSET+SIZE/NAME, the place of its bytes in a shard. So any image is read
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

from gapnet.data.fetch import Origin
from gapnet.data.manifest import MANIFEST, File
from gapnet.data.order import Chunks
from gapnet.data.records import Records
from gapnet.errors import GapnetError


class Place(NamedTuple):
    """Say where the bytes of an image lie."""

    shard: str
    offset: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "Place":
        """Read the place that a record's path tells.

        >>> Place.of(Path("root/val-000000.tar/512+9000/00000000_cat.jpeg"))
        Place(shard='val-000000.tar', offset=512, size=9000)
        """
        shard, span, _ = path.parts[-3:]
        offset, _, size = span.partition("+")
        return cls(shard, int(offset), int(size))

    def path(self, name: str) -> str:
        """Write it down, with a name for people."""
        return f"{self.shard}/{self.offset}+{self.size}/{name}"


@dataclass(frozen=True)
class Tars:
    """Read images out of shards in a folder.

    Nothing is kept open: processes share no handle, and a shard that was removed to make room for
    others is fetched again.

    Args:
        folder: where shards lie, or are fetched to.
        listed: what the manifest lists, by name.
        origin: where those come from that are not there; None: they must be there.
        mixed: so many shards at a time are shuffled together; None: all.
    """

    folder: Path
    listed: Mapping[str, File]
    origin: Origin | None
    mixed: int | None

    def open(self, path: Path) -> BinaryIO:
        """Read an image."""
        place = Place.of(path)
        with self.opened(self.listed[place.shard]) as file:
            file.seek(place.offset)
            return BytesIO(file.read(place.size))

    def size(self, path: Path) -> int | None:
        """Tell the bytes of an image; shards are looked for when a split is listed, or fetched."""
        place = Place.of(path)
        return place.size if place.shard in self.listed else None

    def chunks(self, records: Records) -> Chunks | None:
        """Find the rows of each shard."""
        if self.mixed is None:
            return None
        names = pc.list_element(pc.split_pattern(records.table["path"], "/", max_splits=1), 0)
        codes = names.combine_chunks().dictionary_encode().indices.to_numpy()
        by_shard, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
        return Chunks(torch.split(torch.from_numpy(by_shard), counts.tolist()), self.mixed)

    def opened(self, file: File) -> BinaryIO:
        """Open a file that the manifest lists, and hold its size against it."""
        path = self.folder / file.name
        try:
            if self.origin is not None and self.origin.cache_gb is not None:
                os.utime(path)  # it was read last
            opened: BinaryIO = path.open("rb")
        except FileNotFoundError as error:
            if self.origin is None:
                raise GapnetError(
                    f"{path}: is not there, though {MANIFEST} lists it; copy it there"
                ) from error
            opened = self.origin.fetch(file, path)
        found = os.fstat(opened.fileno()).st_size
        if found != file.bytes:
            opened.close()
            raise GapnetError(
                f"{path}: has {found:,} bytes, and {MANIFEST} says {file.bytes:,}; "
                "copy it there again"
            )
        return opened
