"""A data set in WebDataset shards, as `gapnet shard` writes it: on a disk, or at a URL.

ROOT/manifest.json          classes, splits, and the size and SHA-256 of every other file
ROOT/SPLIT.arrow            the records of a split, in the order of the folder it was written from
ROOT/SPLIT-000000.tar       KEY.jpeg (or as the file was called), its bytes; KEY.json, its truth
"""

import logging
from pathlib import Path

from gapnet.data.checks.digests import sha256_of
from gapnet.data.loading.order import MIXED
from gapnet.data.options import OnCorrupt, Reading
from gapnet.data.record_table import check_shard_records
from gapnet.data.records import Records
from gapnet.data.shards.cache import GB, ShardCache
from gapnet.data.shards.fetch import Origin
from gapnet.data.shards.manifest import LARGEST_MANIFEST, MANIFEST, Manifest, Split
from gapnet.data.shards.tar_files import Tars
from gapnet.data.shards.urls import check_url, is_url
from gapnet.errors import GapnetError, MissingSplitError, reading
from gapnet.system.value_checks import whole_number, wrong_value

UNFINISHED = "unfinished.json"  # exists while shards are written
MB = 10**6
log = logging.getLogger(__name__)


class Shards:
    """Shards that `gapnet shard` wrote; ids, order and ground truth are as in the original.

    With shards on a disk, a training sees the same images in the same order as with the original.
    Shards that are fetched are mixed a few at a time, unless `mixed` is all of them.
    """

    layout = "WebDataset shards"

    def __init__(
        self,
        root: str | Path,
        *,
        train_split: str | None = None,
        select_split: str | None = None,
        test_split: str | None = None,
        cache: str | Path = "data/fetched",
        cache_gb: float | None = None,
        mixed: int | None = None,
        on_corrupt: OnCorrupt = "raise",
        max_corrupt: int = 100,
    ) -> None:
        """Read the manifest.

        Args:
            root: the folder of the manifest, or its URL: file, http, https, s3, gs or az.
            train_split: see `Splits`; None: as in the manifest.
            select_split: see `Splits`; None: as in the manifest.
            test_split: see `Splits`; None: as in the manifest.
            cache: folder for shards of a URL.
            cache_gb: approximate size of the cache; None keeps all shards.
            mixed: number of shards that are shuffled together in a training; None: all shards if
                they are on a disk, `MIXED` if they are fetched.
            on_corrupt: see `CorruptFiles`.
            max_corrupt: see `CorruptFiles`.
        """
        url = str(root).rstrip("/")
        self.url = url if is_url(url) else None
        origin = _origin(url, ShardCache(Path(cache), cache_gb)) if self.url else None
        content = origin.manifest() if origin else _manifest_in(Path(root))
        manifest = self._manifest = Manifest.of(content, place=f"{root}/{MANIFEST}")
        _check_bounds(manifest, cache_gb, mixed)
        self.root = origin.cache.folder if origin else Path(root)
        self.title, self.classes, self.class_names = (
            manifest.title,
            manifest.classes,
            manifest.class_names,
        )
        self.kind, self.published_counts = manifest.kind, manifest.published_counts
        self.train_split = train_split or manifest.train_split
        self.select_split = select_split or manifest.select_split
        self.test_split = test_split or manifest.test_split
        listed = {file.name: file for file in manifest.files()}
        if mixed is None and origin:
            mixed = MIXED
        self._tars = Tars(self.root, listed, origin, mixed)
        self.reading = Reading(
            on_corrupt=on_corrupt, max_corrupt=max_corrupt, exif=manifest.exif, files=self._tars
        )
        if origin:
            self._announce(origin.url)

    def devkit_ids(self) -> dict[int, int] | None:
        """Map ILSVRC2012 IDs, as in the devkit's files, to class indices; None without a devkit."""
        return self._manifest.devkit_ids

    def records(self, split: str) -> Records:
        """List the images of a split in the order of the folder that they were written from."""
        files = self._manifest.splits.get(split)
        if files is None:
            known = ", ".join(self._manifest.splits)
            raise MissingSplitError(
                f"split {split!r} is not among these shards; the splits are: {known}; name "
                "another, or write it with `gapnet shard`"
            )
        index = self._tars.path(files.index)
        self._tars.opened(files.index).close()
        if sha256_of(index) != files.index.sha256:
            raise GapnetError(f"{index}: its SHA-256 differs from {MANIFEST}; copy it there again")
        if self._tars.origin is None:
            for shard in files.shards:
                self._tars.opened(shard).close()
        records = Records.open(index, self.root)
        with reading(index, "does not match its manifest", "write the shards again"):
            _check_records(records, files, classes=len(self.classes))
        return records

    def digests(self, split: str) -> dict[Path, str]:
        """List the shards of a split that are here, with their SHA-256."""
        shards = self._manifest.splits[split].shards
        digests = {self._tars.path(shard): shard.sha256 for shard in shards}
        return {path: digest for path, digest in digests.items() if path.is_file()}

    def _announce(self, url: str) -> None:
        shards = [shard for split in self._manifest.splits.values() for shard in split.shards]
        size = sum(shard.bytes for shard in shards) / MB
        text = "%s: %d shards, %.0f MB; they are fetched to %s when they are needed"
        log.info(text, url, len(shards), size, self.root)


def _origin(url: str, cache: ShardCache) -> Origin:
    check_url("data.root", url)
    cache.check()
    return Origin(url, cache)


def _check_records(records: Records, split: Split, *, classes: int) -> None:
    if len(records) != split.index.images:
        raise ValueError(f"it has {len(records)} rows, not {split.index.images}")
    shards = {shard.name: shard for shard in split.shards}
    check_shard_records(records.table, classes=classes, shards=shards)


def _check_bounds(manifest: Manifest, cache_gb: float | None, mixed: int | None) -> None:
    largest = max(file.bytes for file in manifest.files()) / GB
    if cache_gb is not None and not cache_gb >= largest:
        rule = f"must be at least the size of the largest file, {largest:.3g} GB, or null"
        raise wrong_value("data.cache_gb", cache_gb, rule)
    whole_number("data.mixed", mixed, least=1, optional=True)


def _manifest_in(root: Path) -> bytes:
    path = root / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise GapnetError(f"{path}: is not a manifest (it has over {LARGEST_MANIFEST:,} bytes)")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        if (root / UNFINISHED).exists():
            raise GapnetError(
                f"data.root={root}: its shards are not complete; run the command that writes "
                "them again to continue"
            ) from error
        raise GapnetError(
            f"data.root={root}: has no {MANIFEST}; name a folder that `gapnet shard` wrote"
        ) from error
