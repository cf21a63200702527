"""Write a data set as shards. All splits are planned first, so that missing files show at once.

Training images are spread over their shards at random, because a training that fetches shards sees
a few of them at a time; images of other splits stay in order. The same images give the same
shards, byte for byte.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from gapnet.data.checks.digests import sha256_of
from gapnet.data.image_files import DISK, Files
from gapnet.data.index import parallel_map
from gapnet.data.records import Records
from gapnet.data.sample import Numbered, Source
from gapnet.data.shards.manifest import MANIFEST, PLAIN, File, Manifest, Split
from gapnet.data.shards.pack import Lot, Packer
from gapnet.data.sources.shards import MB, UNFINISHED
from gapnet.errors import GapnetError
from gapnet.system.files import atomic_file, rename_file, temporary_path, write_file
from gapnet.system.folders import lock_file
from gapnet.system.progress import track
from gapnet.system.value_checks import number

BESIDE = 2048  # bytes of a shard that an image takes in addition: two headers and its JSON
SEED = 0  # of the order in which training images are spread over shards
MANY = 2  # shards; a single one is written without another process
THREADS = 16  # that check whether files exist
LOCK = ".lock"
MADE_OF = ".made_of"  # UNFINISHED after the last shard: the digest of the data
BEGUN = {
    LOCK,
    temporary_path(Path(UNFINISHED)).name,
}  # all that a process leaves if it is killed right after its start
log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """Plan of a split: its records, the sizes of its images, and the images per shard."""

    records: Records
    sizes: NDArray[np.int64]
    lots: list[Lot]


def write_shards(
    source: Source,
    folder: Path,
    *,
    splits: Sequence[str] | None = None,
    mb: float = 256,
    workers: int | None = None,
) -> Manifest:
    """Write splits of a data set into a folder, or continue an interrupted run.

    Args:
        source: the data set.
        folder: folder to make; the manifest is its last file.
        splits: by default the splits for training, selection and test.
        mb: approximate size of a shard, in millions of bytes.
        workers: number of processes; by default one per core.
    """
    number("mb", mb, above=0)
    _check_free(folder)
    chosen = splits or [source.train_split, source.select_split, source.test_split]
    plans = {split: _plan(source, split, int(mb * MB)) for split in dict.fromkeys(chosen)}
    digest = _digest(plans, source)
    with _claimed(folder):
        _check_same(folder, digest)
        manifest = _finished(folder)
        if manifest is None:
            write_file(folder / UNFINISHED, digest)
            _check_room(folder, plans)
            manifest = _write(source, folder, plans, workers=workers)
            rename_file(folder / UNFINISHED, folder / MADE_OF)
    return manifest


def _write(
    source: Source, folder: Path, plans: Mapping[str, Plan], *, workers: int | None
) -> Manifest:
    """Write the shards that are missing, and the manifest last."""
    packer = Packer(folder, source.reading.files, source.classes)
    written = {
        split: _write_split(packer, split, plan, workers=workers) for split, plan in plans.items()
    }
    manifest = Manifest(
        title=source.title,
        kind=source.kind,
        published_counts=dict(source.published_counts),
        classes=source.classes,
        class_names=source.class_names,
        devkit_ids=source.devkit_ids() if isinstance(source, Numbered) else None,
        exif=source.reading.exif,
        train_split=source.train_split,
        select_split=source.select_split,
        test_split=source.test_split,
        splits=written,
    )
    write_file(folder / MANIFEST, manifest.text())
    return manifest


def _plan(source: Source, split: str, most: int) -> Plan:
    """Assign the images of a split to shards."""
    if not PLAIN.fullmatch(split):
        raise GapnetError(f"splits={split}: must be of letters, digits, - and _")
    records = source.records(split)
    if next(records.mask_paths(), None) is not None:
        raise GapnetError(f"splits={split}: has masks, which shards cannot store; use the folder")
    sizes = _sizes(records, source.reading.files, split)
    order = np.arange(len(records))
    if split == source.train_split:
        order = torch.randperm(len(order), generator=torch.Generator().manual_seed(SEED)).numpy()
    room = sizes[order] + BESIDE
    shard = (room.cumsum() - room) // most
    shares = np.split(order, np.flatnonzero(np.diff(shard)) + 1)
    lots = [
        Lot(f"{split}-{number:06d}.tar", rows.tolist(), records.take(rows.tolist()))
        for number, rows in enumerate(shares)
    ]
    return Plan(records, sizes, lots)


def _sizes(records: Records, files: Files, split: str) -> NDArray[np.int64]:
    """Return the size of every image in bytes, (N,)."""
    with ThreadPoolExecutor(THREADS) as pool:  # a file server answers many at once
        read = pool.map(files.size, records.paths())
        sizes = list(track(read, f"looking for the images of {split}", total=len(records)))
    if None in sizes:
        path = records[sizes.index(None)].path
        raise GapnetError(f"{path}: no such file; split {split!r} lists it")
    if not sizes:
        raise GapnetError(f"splits={split}: has no images")
    return np.array(sizes, np.int64)


def _write_split(packer: Packer, split: str, plan: Plan, *, workers: int | None) -> Split:
    """Write the shards of a split, then its index: the records, with paths into the shards."""
    what = f"writing shards of {split}"
    written = list(parallel_map(packer, plan.lots, what, workers=workers, many=MANY, lot=1))
    places = {row: place for shard in written for row, place in shard.paths.items()}
    paths = pa.array([places[row] for row in range(len(plan.records))], pa.string())
    column = plan.records.table.schema.get_field_index("path")
    table = plan.records.table.set_column(column, "path", paths)
    index = packer.folder / f"{split}.arrow"
    with atomic_file(index) as unfinished:
        Records(table, packer.folder).save(unfinished)
    listed = File(index.name, len(places), index.stat().st_size, sha256_of(index))
    return Split(listed, tuple(shard.file for shard in written))


def _check_free(folder: Path) -> None:
    """Check that a folder is empty or contains shards of known origin."""
    if not folder.exists() or _made_of(folder) is not None:
        return
    if (folder / MANIFEST).exists():
        raise GapnetError(f"to={folder}: has finished shards; name another folder, or delete it")
    if not folder.is_dir() or any(path.name not in BEGUN for path in folder.iterdir()):
        raise GapnetError(f"to={folder}: is not an empty folder; name another")


def _check_same(folder: Path, digest: str) -> None:
    """Check that the shards in a folder were made from the same data."""
    if _made_of(folder) in (None, digest):
        return
    state = "was begun" if (folder / UNFINISHED).is_file() else "has finished shards"
    raise GapnetError(
        f"to={folder}: {state} of other images, splits or mb; name another folder, or delete it"
    )


def _made_of(folder: Path) -> str | None:
    """Read the digest of the data of finished or unfinished shards; None if there is none."""
    marks = [folder / name for name in (UNFINISHED, MADE_OF)]
    return next((mark.read_text() for mark in marks if mark.is_file()), None)


def _finished(folder: Path) -> Manifest | None:
    """Read the manifest if all files that it lists are there; it is written last."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    manifest = Manifest.of(path.read_bytes(), place=str(path))
    sizes = {file.name: file.bytes for file in manifest.files()}
    if any(DISK.size(folder / name) != size for name, size in sizes.items()):
        return None
    if (folder / UNFINISHED).is_file():  # the process that wrote them was killed
        rename_file(folder / UNFINISHED, folder / MADE_OF)
    log.info("to=%s: all shards are there already", folder)
    return manifest


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Make a folder and lock it for this process."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            busy = f"to={folder}: another process is writing it; wait for it"
            stack.enter_context(lock_file(folder / LOCK, busy))
        except OSError as error:
            raise GapnetError(
                f"to={folder}: cannot be written ({error.strerror}); name another folder"
            ) from error
        yield


def _check_room(folder: Path, plans: Mapping[str, Plan]) -> None:
    needed = sum(int(plan.sizes.sum()) + BESIDE * len(plan.sizes) for plan in plans.values())
    there = sum(path.stat().st_size for path in folder.glob("*.tar"))
    free = shutil.disk_usage(folder).free
    if needed - there > free:
        raise GapnetError(
            f"to={folder}: has room for {free // MB:,} MB, and the shards need "
            f"{(needed - there) // MB:,}; name a larger disk, or fewer splits"
        )


def _digest(plans: Mapping[str, Plan], source: Source) -> str:
    """Return a digest of everything that determines the shards, except the pixels."""
    digest = hashlib.sha256(repr((source.title, source.classes, source.class_names)).encode())
    for plan in plans.values():
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, plan.records.table.schema) as writer:
            writer.write_table(plan.records.table.combine_chunks())
        digest.update(stream.getvalue())
        digest.update(plan.sizes.tobytes())
        digest.update(repr([(lot.name, lot.rows) for lot in plan.lots]).encode())
    return digest.hexdigest()
