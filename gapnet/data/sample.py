"""From files to the network: samples in a worker, batches on a device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args, runtime_checkable

import torch
from torch import Tensor

from gapnet.data.image_files import DISK, Files
from gapnet.data.records import Records
from gapnet.errors import GapnetError

OnCorrupt = Literal["raise", "skip"]


@dataclass(frozen=True)
class Reading:
    """Say how image files are read.

    Args:
        on_corrupt: what becomes of a file that cannot be read: an error, or a training goes on with
            another image in its place, and an evaluation counts it as wrong.
        max_corrupt: so many different files may be skipped in a training before it is an error.
        exif: whether a photograph is turned as its camera says. Boxes of ILSVRC refer to the pixels
            as stored.
        files: where their bytes lie.
    """

    on_corrupt: OnCorrupt = "raise"
    max_corrupt: int = 100
    exif: bool = False
    files: Files = DISK

    def __post_init__(self) -> None:
        """Check the values."""
        if self.on_corrupt not in get_args(OnCorrupt):
            raise GapnetError(f"data.on_corrupt={self.on_corrupt}: must be raise or skip")
        if not (isinstance(self.max_corrupt, int) and self.max_corrupt >= 0):
            raise GapnetError(
                f"data.max_corrupt={self.max_corrupt}: must be a whole number from 0 on"
            )
        if not isinstance(self.exif, bool):
            raise GapnetError(f"data.exif={self.exif}: must be true or false")


class Sample(NamedTuple):
    """Hold one image as the network will see it, and the way back to the file.

    image: bytes (3, H, W). boxes: as in the record. size: (height, width) of the file.
    window: edges x1, y1, x2, y2 (4,) of what the image shows, in pixels of the file; it may reach
    beyond them. corrupt: the file that could not be read, if there is one: an evaluation then has a
    grey image of size (0, 0), a training another image.
    """

    image: Tensor
    label: int
    boxes: Tensor | None
    size: tuple[int, int]
    window: Tensor
    id: str
    corrupt: str | None = None


class Batch(NamedTuple):
    """Hold samples stacked: images (B, 3, H, W), labels (B,), sizes (B, 2), windows (B, 4)."""

    images: Tensor
    labels: Tensor
    boxes: list[Tensor | None]
    sizes: Tensor
    windows: Tensor
    ids: list[str]
    corrupt: list[str | None]

    def to(self, device: torch.device) -> "Batch":
        """Move what the network and the loss take; boxes are found and compared on the CPU.

        Lightning calls this. Without it, it would move the true boxes, sizes and windows as well.
        """
        images, labels = (
            values.to(device, non_blocking=device.type == "cuda")
            for values in (self.images, self.labels)
        )
        return self._replace(images=images, labels=labels)


def collate(samples: list[Sample]) -> Batch:
    """Stack samples into a batch."""
    return Batch(
        images=torch.stack([sample.image for sample in samples]),
        labels=torch.tensor([sample.label for sample in samples]),
        boxes=[sample.boxes for sample in samples],
        sizes=torch.tensor([sample.size for sample in samples]),
        windows=torch.stack([sample.window for sample in samples]),
        ids=[sample.id for sample in samples],
        corrupt=[sample.corrupt for sample in samples],
    )


class Source(Protocol):
    """A data set as it lies on disk: classes in the order of their index, splits by name."""

    title: str
    root: Path
    classes: list[str]
    class_names: list[str]
    train_split: str
    select_split: str
    test_split: str
    reading: Reading

    def records(self, split: str) -> Records:
        """List the images of a split, in a fixed order."""
        ...


@runtime_checkable
class Numbered(Protocol):
    """A source that was laid out in one of several ways, and that a devkit may have numbered."""

    layout: str

    def devkit_ids(self) -> dict[int, int] | None:
        """Map the devkit's IDs to class indices."""
        ...
