"""manifest.json: the files in a folder of shards, with their SHA-256."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from gapnet.errors import GapnetError

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 2**26  # bytes; ImageNet's has a quarter of a million
FORMAT = 2  # of written manifests; a change that older readers cannot read gets a new number
READABLE = (1, 2)  # the first format has neither kind nor published_counts
FIRST_KINDS = {"ILSVRC": "ilsvrc", "CUB-200-2011": "cub", "shapes (stand-in data)": "stand-in"}
PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)  # names that are the same on every disk and in every URL
SHA256 = re.compile(r"[0-9a-f]{64}")
MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
TYPES = {
    "title": str,
    "kind": str,
    "train_split": str,
    "select_split": str,
    "test_split": str,
    "exif": bool,
}


@dataclass(frozen=True)
class File:
    """A file beside the manifest: its name, number of images, size and SHA-256."""

    name: str
    images: int
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Check the values: an untrusted manifest names files that are opened."""
        if not (isinstance(self.name, str) and PLAIN.fullmatch(self.name)):
            raise ValueError(f"name={self.name!r}: must be a plain file name")
        if not all(type(count) is int and count >= 0 for count in (self.images, self.bytes)):
            raise ValueError(f"{self.name}: images and bytes must be integers >= 0")
        if not (isinstance(self.sha256, str) and SHA256.fullmatch(self.sha256)):
            raise ValueError(f"{self.name}: sha256 must be 64 hex digits")


@dataclass(frozen=True)
class Split:
    """The files of a split: the index, which is an Arrow file of records, and the shards."""

    index: File
    shards: tuple[File, ...]

    def __post_init__(self) -> None:
        """Check that index and shards count the same images."""
        if not self.shards:
            raise ValueError(f"{self.index.name} has no shards")
        count = sum(shard.images for shard in self.shards)
        if count != self.index.images:
            raise ValueError(
                f"{self.index.name} has {self.index.images} images, but its shards {count}"
            )


@dataclass(frozen=True)
class Manifest:
    """Description of a data set, without its records.

    Args:
        title: name of the data set, for people.
        kind: what the data set is, for code.
        published_counts: number of images per split of a public data set; empty if not known.
        classes: ids in the order of the index.
        class_names: in the same order.
        devkit_ids: class index by ID of the devkit, if there is one.
        exif: whether photographs are rotated as their EXIF orientation says.
        train_split: split that is trained on.
        select_split: split that selects checkpoints and thresholds.
        test_split: split that is reported.
        splits: files of the written splits, by name.
    """

    title: str
    kind: str
    published_counts: dict[str, int]
    classes: list[str]
    class_names: list[str]
    devkit_ids: dict[int, int] | None
    exif: bool
    train_split: str
    select_split: str
    test_split: str
    splits: dict[str, Split]

    def __post_init__(self) -> None:
        """Check what a reader relies on."""
        for name, kind in TYPES.items():
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name} must be a {kind.__name__}")
        counts = self.published_counts
        if not (isinstance(counts, dict) and all(type(count) is int for count in counts.values())):
            raise TypeError("published_counts must be integers")
        for lists in (self.classes, self.class_names):
            if not (isinstance(lists, list) and all(isinstance(text, str) for text in lists)):
                raise TypeError("classes and class_names must be lists of strings")
        if not len(self.classes) == len(self.class_names) > 0:
            raise ValueError("classes and class_names must have the same length > 0")
        self._check_splits()

    def _check_splits(self) -> None:
        if not self.splits:
            raise ValueError("splits is empty")
        for split in self.splits:
            if not PLAIN.fullmatch(split):
                raise ValueError(f"split {split!r} must be of letters, digits, . - and _")
        names = [file.name for file in self.files()]
        if len(set(names)) != len(names):
            raise ValueError("a file is listed twice")

    def files(self) -> Iterator[File]:
        """Iterate over all listed files."""
        for split in self.splits.values():
            yield split.index
            yield from split.shards

    def text(self) -> str:
        """Return the manifest as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def of(cls, text: str | bytes, *, place: str) -> "Manifest":
        """Parse a manifest; `place` is its path or URL, for errors."""
        try:
            content = json.loads(text)
            number = content.pop("format")
        except MALFORMED as error:
            raise _damaged(place, error) from error
        if number not in READABLE:
            raise GapnetError(
                f"{place}: format={number}: this gapnet reads formats up to {FORMAT}; "
                "write the shards again, or install the gapnet that wrote them"
            )
        try:
            if number == 1:
                kind = FIRST_KINDS.get(content["title"], "unknown")
                content |= {"kind": kind, "published_counts": {}}
            numbers = content.pop("devkit_ids")
            splits = {name: _split(split) for name, split in content.pop("splits").items()}
            ids = numbers and {int(number): int(index) for number, index in numbers.items()}
            return cls(**content, devkit_ids=ids, splits=splits)
        except MALFORMED as error:
            raise _damaged(place, error) from error


def _split(content: Mapping[str, list[Mapping[str, object]]]) -> Split:
    index, shards = content["index"], content["shards"]
    return Split(File(**index), tuple(File(**shard) for shard in shards))  # type: ignore[arg-type]


def _damaged(place: str, error: Exception) -> GapnetError:
    reason = " ".join(str(error).split())
    return GapnetError(f"{place}: is damaged ({reason}); copy it there again")
