"""Access to the bytes of images, which are separate files or parts of shards."""

from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Protocol

from gapnet.data.loading.order import Chunks
from gapnet.data.records import Records


class Files(Protocol):
    """Access to images by the paths of records; every worker of a loader has a copy."""

    def open(self, path: Path) -> BinaryIO:
        """Open an image for reading; a missing one is a FileNotFoundError."""
        ...

    def size(self, path: Path) -> int | None:
        """Return the size of an image in bytes; None if it is missing."""
        ...

    def chunks(self, records: Records) -> Chunks | None:
        """Return which images should be read at about the same time; None if any order is fine."""
        ...


class Disk:
    """Image files on a disk."""

    def open(self, path: Path) -> BinaryIO:
        """Open a file."""
        return path.open("rb")

    def size(self, path: Path) -> int | None:
        """Return the size of a file in bytes; None if it is missing."""
        try:
            state = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return state.st_size if S_ISREG(state.st_mode) else None

    def chunks(self, records: Records) -> None:
        """Return None: any order is fine."""
        del records


DISK = Disk()
