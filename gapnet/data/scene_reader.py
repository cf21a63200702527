"""Base class of the readers of scenes whose objects have masks."""

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gapnet.data.held_out import check_held_out, hold_out
from gapnet.data.object_masks import ObjectMasks
from gapnet.data.options import Reader
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import whole_number, wrong_value

log = logging.getLogger(__name__)


class SceneImage(NamedTuple):
    """An image, and the scene that it shows; the id is its path under the root."""

    id: str
    path: Path
    scene: str


@dataclass(frozen=True)
class SceneReader(Reader, ABC):
    """Images of scenes with masks of all their objects; the class of an image is its scene.

    Args:
        scenes: names of the scenes that are used; None uses all that have enough images.
        least: scenes with fewer images are left out.
        held_out: share (below 1) or number of the images of every scene that form the test split;
            the others are training images.
    """

    _: KW_ONLY
    scenes: Sequence[str] | None = None
    least: int = 2
    held_out: float = 0.5

    def __post_init__(self) -> None:
        """Check the values, and list the images."""
        super().__post_init__()
        whole_number("data.least", self.least, least=2)
        check_held_out(self.held_out)
        if not self.held_out:
            raise wrong_value("data.held_out", self.held_out, "must be above 0: images to examine")
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; name the data folder")
        _ = self.classes  # lists the images, so that errors show now

    @abstractmethod
    def listed(self) -> list[SceneImage]:
        """List all images on the disk, in a fixed order."""

    @abstractmethod
    def mask_paths(self, record: Record) -> Sequence[Path]:
        """Return the files of the masks of an image."""

    @abstractmethod
    def object_masks(self, record: Record) -> ObjectMasks:
        """Read the masks of an image."""

    @property
    def title(self) -> str:
        """Return the name of the folder."""
        return self.root.resolve().name

    @cached_property
    def classes(self) -> list[str]:
        """List the scenes that are used."""
        counts = Counter(image.scene for image in self._images)
        for scene in self.scenes or ():
            if counts[scene] < self.least:
                raise GapnetError(
                    f"data.scenes: scene {scene!r} has {counts[scene]} images; must have at least "
                    f"{self.least} (data.least)"
                )
        enough = sorted(scene for scene, count in counts.items() if count >= self.least)
        if not enough:
            raise GapnetError(
                f"data.least={self.least}: all {len(counts)} scenes in {self.root} have fewer "
                "images; lower data.least"
            )
        log.info(
            "%s: %d of %d scenes have at least %d images",
            self.root,
            len(enough),
            len(counts),
            self.least,
        )
        return enough if self.scenes is None else sorted(map(str, self.scenes))

    @property
    def class_names(self) -> list[str]:
        """List the names of the scenes."""
        return [scene.replace("_", " ").replace("/", " ") for scene in self.classes]

    def records(self, split: str) -> Records:
        """List the images of a split."""
        if split not in (self.train_split, self.test_split):
            raise MissingSplitError(
                f"split {split!r}: choose {self.train_split} or {self.test_split}"
            )
        index = {scene: label for label, scene in enumerate(self.classes)}
        used = [image for image in self._images if image.scene in index]
        pairs = ((image.id, index[image.scene]) for image in used)
        held = hold_out(pairs, self.held_out, classes=self.classes)
        examines = split == self.test_split
        return Records.of(
            (
                Record(image.id, image.path, index[image.scene], None)
                for image in used
                if (image.id in held) == examines
            ),
            self.root,
        )

    @cached_property
    def _images(self) -> list[SceneImage]:
        images = self.listed()
        if not images:
            raise GapnetError(f"data.root={self.root}: has no images of scenes; {self.layout()}")
        return images

    @abstractmethod
    def layout(self) -> str:
        """Return in a few words how the files must lie, for errors."""
