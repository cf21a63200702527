"""Cache of files that were fetched from URLs, named by their SHA-256."""

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from filelock import FileLock

from gapnet.data.shards.manifest import File
from gapnet.errors import GapnetError
from gapnet.system.files import rename_file, temporary_path
from gapnet.system.folders import shared_folder

FOLDER = "gapnet-shards"  # in the folder that the user names
MARKER = "CACHEDIR.TAG"  # backup programs skip a folder that holds this file
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"  # of the CACHEDIR.TAG standard
CONTENT = f"{SIGNATURE}\n# gapnet: files fetched from URLs, named by their SHA-256\n"
OWN = re.compile(r"[0-9a-f]{64}\.tar")  # files that may be deleted to make room
GB = 10**9


@dataclass(frozen=True)
class ShardCache:
    """A folder of fetched files that several processes share.

    It writes and deletes only regular files in `folder` that are named by their SHA-256, and a
    marker file.

    Args:
        parent: the folder in which `folder` is made.
        gb: keep about this many GB of shards, the ones that were read last, besides those that are
            being fetched. None keeps all.
    """

    parent: Path
    gb: float | None = None

    @property
    def folder(self) -> Path:
        """Return the folder."""
        return self.parent / FOLDER

    def path(self, file: File) -> Path:
        """Return the path of a file."""
        return self.folder / f"{file.sha256}{Path(file.name).suffix}"

    def prepare(self) -> None:
        """Make the folder with its marker, atomically, if it does not exist."""
        try:
            self.parent.mkdir(parents=True, exist_ok=True)
            if not (self.folder.is_dir() and any(self.folder.iterdir())):
                self._make()
        except OSError as error:
            raise GapnetError(
                f"data.cache={self.parent}: cannot be written ({error.strerror}); name another"
            ) from error
        self.check()

    def check(self) -> None:
        """Check that an existing folder is a gapnet cache."""
        if self.folder.is_symlink() or (self.folder.exists() and not self._is_marked()):
            raise GapnetError(
                f"data.cache={self.parent}: {self.folder} is not a gapnet cache (no gapnet "
                f"{MARKER} there); name another folder"
            )

    def _make(self) -> None:
        with (
            suppress(NotADirectoryError),  # a file is there, which `check` refuses
            shared_folder(self.folder, MARKER) as made,
        ):
            (made / MARKER).write_text(CONTENT)

    def lock(self, file: File) -> FileLock:
        """Make the lock that one process holds while it fetches a file."""
        return FileLock(self.folder / f".{self.path(file).name}.lock")

    def open(self, file: File) -> BinaryIO:
        """Open a file that was fetched, and set the time of its last use."""
        path = self.path(file)
        if path.is_symlink():
            raise GapnetError(f"{path}: is a symbolic link, and gapnet makes none; delete it")
        opened = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        if self.gb is not None:
            with suppress(OSError):  # the file is another user's
                _mark_read(opened)
        return opened

    def create(self, file: File) -> "Unfinished":
        """Create a file under a temporary name."""
        path = self.path(file)
        unfinished = temporary_path(path)
        unfinished.unlink(missing_ok=True)  # a killed process left it
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        opened = os.fdopen(os.open(unfinished, flags, 0o644), "w+b")
        return Unfinished(opened, unfinished, path)

    def make_room(self, size: int) -> None:
        """Delete the shards that were not read for longest, until `size` bytes are free."""
        if self.gb is None:
            return
        with FileLock(self.folder / ".room.lock"):
            shards = self._shards()
            used = sum(shard_size for _, shard_size, _ in shards)
            for path, shard_size, _ in sorted(shards, key=lambda shard: shard[2]):
                if used + size <= self.gb * GB:
                    return
                path.unlink(missing_ok=True)
                used -= shard_size

    def _shards(self) -> list[tuple[Path, int, int]]:
        """List path, size and time of last use of the shards."""
        with os.scandir(self.folder) as entries:
            states = [
                (Path(entry.path), entry.stat(follow_symlinks=False))
                for entry in entries
                if OWN.fullmatch(entry.name)
            ]
        return [
            (path, state.st_size, state.st_mtime_ns)
            for path, state in states
            if S_ISREG(state.st_mode)
        ]

    def _is_marked(self) -> bool:
        marker = self.folder / MARKER
        return marker.is_file() and marker.read_text(errors="replace") == CONTENT


def _mark_read(file: BinaryIO) -> None:
    """Set the time of last use; the kernel's clock has steps of milliseconds."""
    now = time.time_ns()
    os.utime(file.fileno(), ns=(now, now))


@dataclass(frozen=True)
class Unfinished:
    """A file of the cache that is being written; `keep` gives it its final name."""

    file: BufferedRandom
    path: Path
    final: Path

    def keep(self) -> BinaryIO:
        """Rename the file to its final name, and return it open at its start.

        It stays open, since another process may delete it to make room.
        """
        self.file.flush()
        self.file.seek(0)
        _mark_read(self.file)
        rename_file(self.path, self.final)
        return self.file

    def discard(self) -> None:
        """Close and delete the file."""
        self.file.close()
        self.path.unlink(missing_ok=True)
