"""The index of a split: read from disk once, in parallel, then cached as an Arrow file."""

import hashlib
import logging
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar

import pyarrow as pa

from gapnet.data.record_table import SCHEMA
from gapnet.data.records import Records
from gapnet.errors import GapnetError, reason
from gapnet.system.files import rename_file
from gapnet.system.progress import track
from gapnet.system.workers import worker_pool

T = TypeVar("T")
R = TypeVar("R")

VERSION = 1  # of the cached index; raise it when the same files must give other records
CACHE = "GAPNET_CACHE"  # the environment variable that names the cache folder
MANY = 4000  # files; one process parses fewer before the others have started
LOT = 64  # items sent to a process at a time, unless they are large
THREADS = 16  # that wait for a disk or a file server at the same time
log = logging.getLogger(__name__)


class Index(Protocol):
    """A table that a file can hold."""

    SCHEMA: ClassVar[pa.Schema]

    @classmethod
    def open(cls, path: Path, root: Path) -> Self:
        """Read a file, and check it."""
        ...

    def save(self, path: Path) -> None:
        """Write a file."""
        ...


Kind = TypeVar("Kind", bound=Index)


def cached(
    parts: Sequence[object], build: Callable[[], Records], root: Path, *, state: str
) -> Records:
    """Return the records that `build` makes, or those cached for the same files."""
    return cached_index(Records, parts, build, root=root, state=state)


def cached_index(
    kind: type[Kind], parts: Sequence[object], build: Callable[[], Kind], *, root: Path, state: str
) -> Kind:
    """Return the index that `build` makes, or the one cached for the same files.

    Args:
        kind: class of the index.
        parts: the split and every option of the reader; other parts have another cached file.
        build: reads the index from the files of the data set.
        root: folder of the data set; another root has another cached file.
        state: digest of the files that are read, from `fingerprint`.
    """
    folder = cache_folder()
    if folder is None:
        return build()
    request = _digest([str(root.resolve()), *map(str, parts)])
    name = f"{request}-{_digest([str(VERSION), str(kind.SCHEMA), state])}"
    index = _open(kind, folder, name, root)
    if index is None:
        built = build()
        _write(built, folder, name, request)
        index = _open(kind, folder, name, root)
        index = built if index is None else index
    return index


def cache_folder() -> Path | None:
    """Return the folder of cached indices; None for a user without a home."""
    named, shared = os.environ.get(CACHE), os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named)
    try:
        return Path(shared or Path.home() / ".cache") / "gapnet"
    except RuntimeError:  # the user has no home
        return None


def fingerprint(
    *, files: Iterable[Path] = (), folders: Iterable[Path] = (), contents: Iterable[Path] = ()
) -> str:
    """Return a digest of the state of the files that an index is read from.

    Args:
        files: their sizes and times of change are included.
        folders: their times of change, and those of the folders in them, are included: enough to
            notice a file that is added, removed or renamed.
        contents: folders of which the size and time of change of every file are included as well.
    """
    stamps = [_stamp(path) for path in files]
    with ThreadPoolExecutor(THREADS) as pool:
        for folder in folders:
            stamps += pool.map(_stamp, [folder, *folders_in(folder)])
        for folder in contents:
            stamps += pool.map(_content, [folder, *folders_in(folder)])
    return _digest(stamps)


def folders_in(folder: Path) -> list[Path]:
    """List the folders in a folder, by name, without hidden ones; none if it is not there."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
    return [folder / name for name in sorted(names)]


def parallel_map(
    function: Callable[[T], R],
    items: Sequence[T],
    what: str,
    *,
    workers: int | None = None,
    many: int = MANY,
    lot: int = LOT,
) -> Iterator[R]:
    """Apply a function to items, in order, with a progress bar; in processes if there are many.

    Args:
        function: a function of a module, or a partial of one, so that it can be pickled.
        items: arguments of the function.
        what: text of the progress bar.
        workers: number of processes; by default one per core. 1 starts no process.
        many: with fewer items than this, no process is started.
        lot: largest number of items sent to a process at a time.
    """
    workers = workers or cores()
    if workers == 1 or len(items) < many:
        yield from track(map(function, items), what, total=len(items))
        return
    with worker_pool(workers) as pool:  # the processes start before the bar starts a thread
        results = pool.map(function, items, chunksize=max(1, min(lot, len(items) // workers)))
        yield from track(results, what, total=len(items))


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def records_from_columns(
    root: Path,
    *,
    ids: Sequence[str],
    paths: Sequence[str],
    labels: Sequence[int],
    boxes: Sequence[Sequence[float] | None],
    blacklisted: Sequence[bool],
) -> Records:
    """Make records from columns, ten times as fast as from rows."""
    count = len(ids)
    columns = {
        "id": pa.array(ids, pa.string()),
        "path": pa.array(paths, pa.string()),
        "label": pa.array(labels, pa.int32()),
        "boxes": pa.array(boxes, pa.list_(pa.float32())),
        "masks": pa.array([[]] * count, pa.list_(pa.string())),
        "ignore": pa.nulls(count, pa.string()),
        "blacklisted": pa.array(blacklisted, pa.bool_()),
    }
    return Records(pa.table(columns, schema=SCHEMA), root)


def _open(kind: type[Kind], folder: Path, name: str, root: Path) -> Kind | None:
    """Open a file of the cache; None if it is missing or damaged."""
    for file in folder.glob(f"{name}-*.arrow"):
        try:
            if _checksum(file) == file.stem.rpartition("-")[2]:
                return kind.open(file, root)
            log.info("%s: is damaged; it is written again", file)
        except (OSError, pa.ArrowException, GapnetError) as error:
            log.info("%s: cannot be read (%s); it is written again", file, reason(error))
    return None


def _write(index: Index, folder: Path, name: str, request: str) -> None:
    """Write an index atomically, and delete the ones it replaces.

    The name ends in a checksum of the content, so that a damaged file is noticed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            complete = Path(unfinished, "index.arrow")
            index.save(complete)
            file = folder / f"{name}-{_checksum(complete)}.arrow"
            rename_file(complete, file)
        for stale in set(folder.glob(f"{request}-*.arrow")) - {file}:
            stale.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s: cannot be written (%s); the index is not cached", folder, error)


def _checksum(file: Path) -> str:
    with pa.memory_map(str(file)) as mapped:
        return f"{zlib.crc32(mapped.read_buffer()):08x}"


def _stamp(path: Path) -> str:
    try:
        state = path.stat()
    except OSError:
        return f"{path} is not there"
    return f"{path} {state.st_size} {state.st_mtime_ns}"


def _content(folder: Path) -> str:
    """Describe the files of a folder, with sizes and times."""
    if not folder.is_dir():
        return f"{folder} is not there"
    with os.scandir(folder) as entries:
        files = [(entry.name, entry.stat()) for entry in entries if not entry.is_dir()]
    stamps = sorted(f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in files)
    return "\n".join([str(folder), *stamps])


def _digest(stamps: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(stamps).encode(errors="surrogateescape")).hexdigest()[:32]
