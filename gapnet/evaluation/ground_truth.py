"""The ground truth that predictions are scored against."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.metrics.functional import PaddedBoxes, pad_boxes


@dataclass(frozen=True)
class SplitTruth:
    """Ground truth of a split.

    Args:
        ids: of the images.
        labels: (N,).
        boxes: of the images; None if no image has any.
        blacklisted: images that the devkit leaves out of localization, (N,).
        masked: whether the objects' pixels are known.
        boxed: which images have boxes, (N,); None if all have, or none.
        label_sets: all classes of each image, in multi-label data; else None.
    """

    ids: list[str]
    labels: Tensor
    boxes: PaddedBoxes | None
    blacklisted: Tensor
    masked: bool = False
    boxed: Tensor | None = None
    label_sets: Sequence[Sequence[int]] | None = None

    def __post_init__(self) -> None:
        """Refuse an id that is listed twice."""
        repeated = [image for image, count in Counter(self.ids).items() if count > 1]
        if repeated:
            raise GapnetError(f"image {repeated[0]}: is listed twice; every id must be unique")

    @property
    def known(self) -> bool:
        """Return whether all labels are known."""
        return bool((self.labels != UNKNOWN).all())

    @property
    def with_boxes(self) -> "SplitTruth":
        """Return the ground truth of the images that have boxes."""
        if self.boxes is None or self.boxed is None:
            return self
        rows = self.boxed
        return SplitTruth(
            [image for image, has in zip(self.ids, rows.tolist(), strict=True) if has],
            self.labels[rows],
            PaddedBoxes(self.boxes.xyxy[rows], self.boxes.present[rows]),
            self.blacklisted[rows],
            self.masked,
        )


def ground_truth_of(records: Records) -> SplitTruth:
    """Return the ground truth of records."""
    boxes = records.boxes
    padded = None if boxes is None else pad_boxes(boxes.xyxy, boxes.counts)
    masked = bool(len(records)) and all(len(masks) for masks in records.table["masks"].to_pylist())
    some = padded is not None and not records.boxed.all()
    return SplitTruth(
        ids=records.ids,
        labels=records.labels,
        boxes=padded,
        blacklisted=records.blacklisted,
        masked=masked,
        boxed=records.boxed if some else None,
        label_sets=records.label_sets if records.multi_label else None,
    )
