"""Where the bytes of images lie: each in a file of its own, or many in a shard."""

from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Protocol

from gapnet.data.loading.order import Chunks
from gapnet.data.records import Records


class Files(Protocol):
    """Open images by the paths that records name; every process of a loader has a copy."""

    def open(self, path: Path) -> BinaryIO:
        """Open an image to be read; one that is not there is a FileNotFoundError."""
        ...

    def size(self, path: Path) -> int | None:
        """Count the bytes of an image; None if it is not there."""
        ...

    def chunks(self, records: Records) -> Chunks | None:
        """Say which images should be read at about the same time; None if it does not matter."""
        ...


class Disk:
    """Read files of a disk."""

    def open(self, path: Path) -> BinaryIO:
        """Open a file."""
        return path.open("rb")

    def size(self, path: Path) -> int | None:
        """Look for a file."""
        try:
            state = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return state.st_size if S_ISREG(state.st_mode) else None

    def chunks(self, records: Records) -> None:
        """Let images be read in any order."""
        del records


DISK = Disk()
