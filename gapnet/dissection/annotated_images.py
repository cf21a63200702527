"""Images of a split with their annotations as a torch data set."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.utils.data import Dataset

from gapnet.data.loading.images import Images
from gapnet.data.sample import Batch, Sample, collate
from gapnet.data.segmented import NO_CONCEPT, Annotation, Annotator
from gapnet.errors import GapnetError

WHOLE = 1.0  # pixels by which a window may differ from the whole image


class AnnotatedSample(NamedTuple):
    """An image and its annotation; without `sample` if the image is not needed."""

    row: int
    id: str
    annotation: Annotation
    sample: Sample | None


class AnnotatedBatch(NamedTuple):
    """A batch of images, if they are needed, their rows in the split, ids and annotations."""

    batch: Batch | None
    rows: list[int]
    ids: list[str]
    annotations: list[Annotation]

    def to(self, device: torch.device) -> "AnnotatedBatch":
        """Move the images; the annotations are used on the CPU."""
        return self if self.batch is None else self._replace(batch=self.batch.to(device))


class AnnotatedImages(Dataset[AnnotatedSample]):
    """Annotations of a split, with its images or without."""

    def __init__(
        self, images: Images, annotator: Annotator, *, side: int | None, with_images: bool
    ) -> None:
        """Resize annotations to `side` x `side` pixels; None leaves their size."""
        self.images, self.annotator, self.side = images, annotator, side
        self.with_images, self.concepts = with_images, len(annotator.concepts)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, row: int) -> AnnotatedSample:
        """Read one image and its annotation."""
        record = self.images.records[row]
        annotation = self.annotator.annotation(record)
        planes = annotation.planes
        if planes.max(initial=NO_CONCEPT) >= self.concepts or planes.min(initial=0) < NO_CONCEPT:
            raise GapnetError(
                f"image {record.id}: its annotation has a concept of a number that is not listed; "
                "correct the annotation"
            )
        sample = self.images[row] if self.with_images else None
        return AnnotatedSample(row, record.id, annotation.resized(self.side), sample)


def collate_annotated(samples: list[AnnotatedSample]) -> AnnotatedBatch:
    """Stack the images of samples."""
    images = [sample.sample for sample in samples if sample.sample is not None]
    return AnnotatedBatch(
        batch=collate(images) if images else None,
        rows=[sample.row for sample in samples],
        ids=[sample.id for sample in samples],
        annotations=[sample.annotation for sample in samples],
    )


def check_first(images: Images, annotator: Annotator) -> None:
    """Check the view and the annotation of the first image, before any work."""
    annotator.annotation(images.records[0])
    batch = collate([images[0]])
    check_whole(batch, readable_of(batch))


def readable_of(batch: Batch) -> list[int]:
    """Return which images of a batch could be read."""
    return [index for index, path in enumerate(batch.corrupt) if path is None]


def check_whole(batch: Batch, readable: Sequence[int]) -> None:
    """Refuse views that do not show whole images, as segmentations are of whole images."""
    for index in readable:
        height, width = batch.sizes[index].tolist()
        whole = torch.tensor([0.0, 0.0, width, height])
        if (batch.windows[index] - whole).abs().max() > WHOLE:
            raise GapnetError(
                "view: must show whole images, as segmentations are of whole images; use view=whole"
            )
