"""Samples and batches, and the protocol of a data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from gapnet.data.options import Reading
from gapnet.data.records import Records


class Sample(NamedTuple):
    """One image as the network sees it, and where it lies in its file.

    image: bytes (3, H, W). boxes: as in the record. size: (height, width) of the file.
    window: edges x1, y1, x2, y2 (4,) of what the image shows, in pixels of the file; it may reach
    beyond the file. corrupt: the file that could not be read, or None; an evaluation then gets a
    grey image of size (0, 0), a training gets another image. labels: as in the record.
    """

    image: Tensor
    label: int
    boxes: Tensor | None
    size: tuple[int, int]
    window: Tensor
    id: str
    corrupt: str | None = None
    labels: tuple[int, ...] = ()


class Batch(NamedTuple):
    """Stacked samples: images (B, 3, H, W), labels (B,), sizes (B, 2), windows (B, 4).

    label_sets: all classes of each image in multi-label data; empty ones in other data.
    """

    images: Tensor
    labels: Tensor
    boxes: list[Tensor | None]
    sizes: Tensor
    windows: Tensor
    ids: list[str]
    corrupt: list[str | None]
    label_sets: Sequence[tuple[int, ...]] = ()

    def targets(self, classes: int) -> Tensor:
        """Return 1 for the classes of each image and 0 for the others (B, classes), on its device.

        An image without `labels` has its one label, or none if that is not known.
        """
        one = [(label,) if label >= 0 else () for label in self.labels.tolist()]
        sets = [labels or own for labels, own in zip(self.label_sets or one, one, strict=True)]
        targets = torch.zeros(len(one), classes)
        for row, labels in enumerate(sets):
            targets[row, list(labels)] = 1
        return targets.to(self.labels.device)

    def to(self, device: torch.device) -> "Batch":
        """Move images and labels; boxes, sizes and windows are used on the CPU and stay there.

        Lightning calls this, and would otherwise move every tensor.
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
        label_sets=[sample.labels for sample in samples],
    )


class Source(Protocol):
    """A data set: its classes in the order of their index, and the records of every split.

    Your own reader must have all of these. `kind` says what the data is ("ilsvrc", "cub",
    "folder", ...), `title` names it for people.
    """

    @property
    def title(self) -> str:
        """Name of the data set, for people."""
        ...

    @property
    def kind(self) -> str:
        """What the data set is, for code."""
        ...

    @property
    def published_counts(self) -> Mapping[str, int]:
        """Number of images per split of a public data set; empty if it is not known."""
        ...

    @property
    def root(self) -> Path:
        """Folder that paths are relative to."""
        ...

    @property
    def classes(self) -> list[str]:
        """Ids of the classes."""
        ...

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, for people."""
        ...

    @property
    def train_split(self) -> str:
        """Split that is trained on."""
        ...

    @property
    def select_split(self) -> str:
        """Split that chooses checkpoints and thresholds."""
        ...

    @property
    def test_split(self) -> str:
        """Split that is reported."""
        ...

    @property
    def reading(self) -> Reading:
        """How the image files are read."""
        ...

    def records(self, split: str) -> Records:
        """List the images of a split, in a fixed order."""
        ...


@runtime_checkable
class Numbered(Protocol):
    """A data set with one of several layouts, whose classes ILSVRC's devkit may have numbered."""

    @property
    def layout(self) -> str:
        """Name of the layout, for people."""
        ...

    def devkit_ids(self) -> dict[int, int] | None:
        """Map the devkit's IDs to class indices."""
        ...


@runtime_checkable
class Relabelled(Protocol):
    """A data set that can be read with the classes of a network."""

    def with_classes(self, class_ids: Sequence[str]) -> Source:
        """Return the same data set with other classes."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A data set whose annotations give sizes of images, so that the files are not needed."""

    def sizes(self, split: str, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (height, width) by id, for the images whose annotations have it."""
        ...


@runtime_checkable
class Cropped(Protocol):
    """A data set that shows parts of some images: queries, which are boxes."""

    def parts(self, split: str) -> Mapping[str, Sequence[float]] | None:
        """Return inclusive boxes (x1, y1, x2, y2) by image id; None shows whole images."""
        ...
