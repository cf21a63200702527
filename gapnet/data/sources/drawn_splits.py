"""Images in a folder per class, of which training images are drawn, as for Caltech 101.

ROOT/CLASS/IMAGE    such as accordion/image_0001.jpg

The published protocols of Scene15, Caltech 101, Caltech 256 and Event8 draw some images of each
class at random to train on, and test on others. A draw takes the images in the order of a SHA-256
of its number and their ids, so that it is always the same.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from gapnet.data.image_folder import folders_and_images
from gapnet.data.options import Reader
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import whole_number


@dataclass(frozen=True)
class DrawnSplits(Reader):
    """Images whose splits are drawn.

    Args:
        root: holds a folder for each class.
        train: training images of each class.
        test: test images of each class, at most; None takes all others.
        draw: number of the draw.
        ignored: folders in the root that are no class.
        name: of the data set, for people; None is the name of its folder.
    """

    _: KW_ONLY
    train: int
    test: int | None = None
    draw: int = 0
    ignored: Sequence[str] = ()
    name: str | None = None

    kind: ClassVar[str] = "drawn_splits"

    def __post_init__(self) -> None:
        """Check the values, and list the images."""
        super().__post_init__()
        whole_number("data.train", self.train, least=1)
        whole_number("data.test", self.test, least=1, optional=True)
        whole_number("data.draw", self.draw)
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; put {self.title} there")
        for folder, images in self._images.items():
            if len(images) <= self.train:
                raise GapnetError(
                    f"data.train={self.train}: class {folder!r} has {len(images)} images, which "
                    "leaves none to test on; restore its images, or lower data.train"
                )

    @property
    def title(self) -> str:
        """Return the name of the data set."""
        return self.name or self.root.resolve().name

    @property
    def classes(self) -> list[str]:
        """List the ids of the classes, which are their folders."""
        return list(self._images)

    @property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return [class_id.replace("_", " ") for class_id in self.classes]

    def records(self, split: str) -> Records:
        """List the images of a split, sorted by class and name."""
        parts = {self.train_split: slice(self.train), self.test_split: self._tested}
        if split not in parts:
            raise MissingSplitError(f"split {split!r} is not drawn; choose {', '.join(parts)}")
        records = [
            Record(image.relative_to(self.root).as_posix(), image, label, None)
            for label, images in enumerate(self._images.values())
            for image in sorted(sorted(images, key=self._place)[parts[split]])
        ]
        return Records.of(records, self.root)

    @property
    def _tested(self) -> slice:
        return slice(self.train, None if self.test is None else self.train + self.test)

    def _place(self, image: Path) -> bytes:
        identity = image.relative_to(self.root).as_posix()
        return sha256(f"{self.draw}/{identity}".encode()).digest()

    @cached_property
    def _images(self) -> dict[str, list[Path]]:
        """Return the images of every class."""
        folders = [
            path for path in folders_and_images(self.root)[0] if path.name not in self.ignored
        ]
        images = {folder.name: folders_and_images(folder)[1] for folder in folders}
        if not images:
            raise GapnetError(
                f"data.root={self.root}: has no folder; make a folder for every class"
            )
        return images
