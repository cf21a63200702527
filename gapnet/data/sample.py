"""From files to the network: records on disk, samples in a worker, batches on a device."""

from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Record(NamedTuple):
    """Point at one image on disk and hold what is known of it.

    Boxes (n, 4) are inclusive, in pixels of the file as stored; None where nobody drew any.
    """

    id: str
    path: Path
    label: int
    boxes: Tensor | None


class Sample(NamedTuple):
    """Hold one image as the network will see it, and the way back to the file.

    image: bytes (3, H, W). boxes: as in the record. size: (height, width) of the file.
    window: edges x1, y1, x2, y2 (4,) of what the image shows, in pixels of the file; it may reach
    beyond them.
    """

    image: Tensor
    label: int
    boxes: Tensor | None
    size: tuple[int, int]
    window: Tensor
    id: str


class Batch(NamedTuple):
    """Hold samples stacked: images (B, 3, H, W), labels (B,), sizes (B, 2), windows (B, 4)."""

    images: Tensor
    labels: Tensor
    boxes: list[Tensor | None]
    sizes: Tensor
    windows: Tensor
    ids: list[str]


def collate(samples: list[Sample]) -> Batch:
    """Stack samples into a batch."""
    return Batch(
        images=torch.stack([sample.image for sample in samples]),
        labels=torch.tensor([sample.label for sample in samples]),
        boxes=[sample.boxes for sample in samples],
        sizes=torch.tensor([sample.size for sample in samples]),
        windows=torch.stack([sample.window for sample in samples]),
        ids=[sample.id for sample in samples],
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

    def records(self, split: str) -> list[Record]:
        """List the images of a split, in a fixed order."""
        ...
