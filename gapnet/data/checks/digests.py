"""SHA-256 of files, and of data sets that list it."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from gapnet.data.index import parallel_map

MANY = 8  # files; one process digests fewer before the others have started


@runtime_checkable
class Digested(Protocol):
    """A data set that lists the SHA-256 of its files."""

    def digests(self, split: str) -> Mapping[Path, str]:
        """Return the files of a split that are on the disk, with their listed SHA-256."""
        ...


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differing(
    digests: Mapping[Path, str], what: str, *, workers: int | None = None
) -> Iterator[Path]:
    """Iterate over the files whose SHA-256 differs from the listed one."""
    paths = list(digests)
    actual = parallel_map(sha256_of, paths, f"digesting {what}", workers=workers, many=MANY, lot=1)
    for path, digest in zip(paths, actual, strict=True):
        if digest != digests[path]:
            yield path
