"""Base class of the readers of images that have a concept, or do not have it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gapnet.data.held_out import check_held_out, hold_out
from gapnet.data.options import Reader
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import wrong_value

OTHER = "other"  # the class of the images that do not have the concept
FEWEST = 4  # images of a class: two to train on and two to test on


class ConceptImage(NamedTuple):
    """An image, and whether it has the concept."""

    id: str
    path: Path
    positive: bool


@dataclass(frozen=True)
class ConceptReader(Reader, ABC):
    """Images of two classes: `other`, and the concept.

    Args:
        held_out: share (below 1) or number of the images of both classes that form the test split.
    """

    _: KW_ONLY
    held_out: float = 0.25

    def __post_init__(self) -> None:
        """Check the values, and list the images."""
        super().__post_init__()
        check_held_out(self.held_out)
        if not self.held_out:
            raise wrong_value("data.held_out", self.held_out, "must be above 0: images to test on")
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; name the image folder")
        positives = sum(image.positive for image in self._images)
        self._check(positives, len(self._images) - positives)

    @property
    @abstractmethod
    def concept(self) -> str:
        """Return the name of the concept."""

    @abstractmethod
    def listed(self) -> Sequence[ConceptImage]:
        """List all images, in a fixed order."""

    @abstractmethod
    def too_few(self, kind: str, count: int) -> GapnetError:
        """Return the error for too few images of a kind: positive or negative."""

    @property
    def title(self) -> str:
        """Return the name of the folder."""
        return self.root.resolve().name

    @property
    def classes(self) -> list[str]:
        """List both classes."""
        return [OTHER, self.concept]

    @property
    def class_names(self) -> list[str]:
        """List both classes."""
        return self.classes

    def records(self, split: str) -> Records:
        """List the images of a split."""
        if split not in (self.train_split, self.test_split):
            raise MissingSplitError(
                f"split {split!r}: choose {self.train_split} or {self.test_split}"
            )
        pairs = ((image.id, int(image.positive)) for image in self._images)
        held = hold_out(pairs, self.held_out, classes=self.classes)
        tests = split == self.test_split
        return Records.of(
            (
                Record(image.id, image.path, int(image.positive), None)
                for image in self._images
                if (image.id in held) == tests
            ),
            self.root,
        )

    @cached_property
    def _images(self) -> Sequence[ConceptImage]:
        return self.listed()

    def _check(self, positives: int, negatives: int) -> None:
        for kind, count in (("positive", positives), ("negative", negatives)):
            if count < FEWEST:
                raise self.too_few(kind, count)
