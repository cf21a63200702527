"""Benchmarks of retrieval: Oxford5k and Paris6k, their revisited versions, and INRIA Holidays.

ROOT/**/*.jpg         the images; the id of an image is its name without .jpg
ROOT/GROUND_TRUTH     the folder of text files, or the .pkl file; not for Holidays

The split `base` has the images that are searched, and `query` the queries. A query's id is that of
Oxford's file, such as all_souls_1, or that of its image.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, get_args

from gapnet.data.image_folder import folders_and_images
from gapnet.data.loading.images import Parts
from gapnet.data.options import Reader
from gapnet.data.readers.retrieval_truth import (
    Rules,
    Truth,
    holidays_truth,
    read_oxford,
    read_revisited,
)
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.sources.without_classes import WithoutClasses
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import one_of, true_or_false


@dataclass(frozen=True)
class RetrievalImages(WithoutClasses, Reader):
    """Images of a retrieval benchmark, without classes.

    Args:
        root: the folder of the data set.
        rules: whose ground truth it has: oxford (and Paris), revisited or holidays.
        ground_truth: its folder or file, relative to the root; None for Holidays.
        crop_queries: whether a query is the box in its image, as the benchmarks define, or the
            whole image.
        name: of the data set, for people; None is the name of its folder.
    """

    _: KW_ONLY
    rules: Rules
    ground_truth: Path | str | None = None
    crop_queries: bool = True
    name: str | None = None
    train_split: str = "base"
    select_split: str = "base"
    test_split: str = "query"

    kind: ClassVar[str] = "retrieval"
    base_split: ClassVar[str] = "base"
    query_split: ClassVar[str] = "query"

    def __post_init__(self) -> None:
        """Check the values, and read the ground truth."""
        super().__post_init__()
        one_of("data.rules", self.rules, get_args(Rules))
        true_or_false("data.crop_queries", self.crop_queries)
        if (self.rules == "holidays") != (self.ground_truth is None):
            raise GapnetError(
                f"data.ground_truth={self.ground_truth}: must be a file or folder with "
                "data.rules=oxford and revisited, and null with holidays"
            )
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; put {self.title} there")
        self._check_images()

    @property
    def title(self) -> str:
        """Return the name of the data set."""
        return self.name or self.root.resolve().name

    @cached_property
    def truth(self) -> Truth:
        """Return the queries and what belongs to them."""
        if self.ground_truth is None:
            return holidays_truth(self._paths, f"data.root={self.root}")
        place = self.root / self.ground_truth
        return read_oxford(place) if self.rules == "oxford" else read_revisited(place)

    def records(self, split: str) -> Records:
        """List the images of a split: the base in the order of names, or the queries."""
        if split == self.base_split:
            base = sorted(self._paths) if self.truth.base is None else self.truth.base
            pairs = [(image, image) for image in base]
        elif split == self.query_split:
            pairs = [(query.id, query.image) for query in self.truth.queries]
        else:
            raise MissingSplitError(
                f"split {split!r}: must be one of {self.base_split}, {self.query_split}"
            )
        records = (Record(name, self._paths[image], UNKNOWN, None) for name, image in pairs)
        return Records.of(records, self.root)

    def parts(self, split: str) -> Parts | None:
        """Return the boxes that are shown in place of whole images, by id; None shows these."""
        boxes = {query.id: query.box for query in self.truth.queries if query.box is not None}
        return boxes if self.crop_queries and boxes and split == self.query_split else None

    @cached_property
    def _paths(self) -> dict[str, Path]:
        """Map ids to files."""
        paths: dict[str, Path] = {}
        for path in _images_below(self.root):
            if path.stem in paths:
                raise GapnetError(f"{path}: {paths[path.stem]} has the same name; remove one")
            paths[path.stem] = path
        return paths

    def _check_images(self) -> None:
        """Refuse ground truth that names images which are not there."""
        named = [*(self.truth.base or ()), *(query.image for query in self.truth.queries)]
        for query in self.truth.queries:
            named += [image for group in query.groups.values() for image in sorted(group)]
        missing = dict.fromkeys(image for image in named if image not in self._paths)
        if missing:
            raise GapnetError(
                f"data.root={self.root}: has no image {next(iter(missing))} ({len(missing):,} of "
                f"{len(set(named)):,} images that {self.truth.place} names are missing); name the "
                "folder and the ground truth of the same data set"
            )


def _images_below(folder: Path) -> Iterator[Path]:
    folders, images = folders_and_images(folder)
    yield from images
    for inner in folders:
        yield from _images_below(inner)
