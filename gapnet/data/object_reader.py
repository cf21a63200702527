"""Base class of the readers of data sets whose annotations list objects in images."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property, partial
from typing import ClassVar, get_args

from gapnet.data.annotated import AnnotatedImages
from gapnet.data.held_out import hold_out
from gapnet.data.index import cached_index
from gapnet.data.options import ALL
from gapnet.data.own_images import OwnImages
from gapnet.data.records import Records
from gapnet.data.several import Several, records_of
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import one_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ObjectReader(OwnImages, ABC):
    """A data set whose annotations list objects; an image gets the class of one of its objects.

    Args:
        several: the class of an image with objects of several classes: that of the `largest` box,
            of the `first` object, or none (`skip`); `all` makes multi-label data.
    """

    _: KW_ONLY
    several: Several = "largest"

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the values, and find the classes."""
        super().__post_init__()
        one_of("data.several", self.several, get_args(Several))
        _ = self.classes  # reads the files, so that errors show now

    @property
    @abstractmethod
    def splits(self) -> list[str]:
        """List the splits on the disk; [ALL] if the images are not divided."""

    @abstractmethod
    def read(self, split: str) -> AnnotatedImages:
        """Read the annotations of a split on the disk."""

    @abstractmethod
    def state(self, split: str) -> str:
        """Return a digest of the files of a split; if it changes, they are read again."""

    def images(self, split: str) -> AnnotatedImages:
        """List the annotated images of a split on the disk; pixels count from 0."""
        return self.indexed(split)

    def indexed(self, split: str) -> AnnotatedImages:
        """List what the annotations of a split state; they are read once."""
        if split not in self._indexed:
            parts, read = (self.kind, split, self.exif), partial(self.read, split)
            self._indexed[split] = cached_index(
                AnnotatedImages, parts, read, root=self.root, state=self.state(split)
            )
        return self._indexed[split]

    @cached_property
    def classes(self) -> list[str]:
        """List the ids of the classes."""
        if self.class_ids is not None:
            return [str(class_id) for class_id in self.class_ids]
        listing = self.train_split if self.train_split in self.splits else self.test_split
        classes = self.indexed(self._on_disk(listing)).classes
        if not classes:
            raise GapnetError(
                f"data.root={self.root}: split {listing!r} has no object; annotate its images"
            )
        return classes

    @property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return self.classes

    def records(self, split: str) -> Records:
        """List the images of a split, in a fixed order."""
        records = self._listed(self._on_disk(split))
        if self._is_held_out(self.select_split) and split in (self.train_split, self.select_split):
            images = zip(records.ids, records.labels.tolist(), strict=True)
            held = hold_out(images, self.held_out, classes=self.classes)
            selects = split == self.select_split
            if selects:
                text = "%s: %d images are held out of %s as %s; the splits on the disk are: %s"
                names = ", ".join(self.splits)
                log.info(text, self.root, len(held), self.train_split, split, names)
            rows = [row for row, id_ in enumerate(records.ids) if (id_ in held) == selects]
            records = records.take(rows)
        return records

    def sizes(self, split: str, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (height, width) by id, for images whose annotation has it."""
        images, wanted = self.indexed(self._on_disk(split)), set(ids)
        pairs = zip(images.ids, images.sizes().tolist(), strict=True)
        known = {id_: (height, width) for id_, (height, width) in pairs if height and width}
        return {id_: size for id_, size in known.items() if id_ in wanted}

    def _on_disk(self, split: str) -> str:
        """Return the split on the disk that has the images of a split."""
        if self._is_held_out(split):
            return self.train_split
        if split in self.splits:
            return split
        if self.splits == [ALL] and split == self.test_split and self.train_split != ALL:
            return ALL
        raise self._missing(split)

    def _is_held_out(self, split: str) -> bool:
        """Return whether a split is held out of the training split."""
        return (
            split == self.select_split
            and split not in {self.train_split, *self.splits}
            and self.held_out > 0
            and self.train_split in self.splits
        )

    def _missing(self, split: str) -> MissingSplitError:
        if self.splits == [ALL]:
            return self._undivided(split)
        known = ", ".join(self.splits) or "none"
        return MissingSplitError(
            f"split {split!r}: is not in {self.root}, whose splits are: {known}; name them with "
            "data.train_split=..., data.select_split=... and data.test_split=..."
        )

    def _listed(self, split: str) -> Records:
        if split not in self._records:
            images = self.images(split)
            self._records[split] = records_of(images, self.classes, self.several, split=split)
        return self._records[split]

    @cached_property
    def _records(self) -> dict[str, Records]:
        return {}

    @cached_property
    def _indexed(self) -> dict[str, AnnotatedImages]:
        return {}
