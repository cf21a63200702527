"""The ground truth that predictions are scored against."""

from collections import Counter
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
        boxes: of the images; None if an image has no box.
        blacklisted: images that the devkit leaves out of localization, (N,).
        masked: whether the objects' pixels are known.
    """

    ids: list[str]
    labels: Tensor
    boxes: PaddedBoxes | None
    blacklisted: Tensor
    masked: bool = False

    def __post_init__(self) -> None:
        """Refuse an id that is listed twice."""
        repeated = [image for image, count in Counter(self.ids).items() if count > 1]
        if repeated:
            raise GapnetError(f"image {repeated[0]}: is listed twice; every id must be unique")

    @property
    def known(self) -> bool:
        """Return whether all labels are known."""
        return bool((self.labels != UNKNOWN).all())


def ground_truth_of(records: Records) -> SplitTruth:
    """Return the ground truth of records."""
    boxes = records.boxes
    padded = None if boxes is None else pad_boxes(boxes.xyxy, boxes.counts)
    masked = bool(len(records)) and all(len(masks) for masks in records.table["masks"].to_pylist())
    return SplitTruth(records.ids, records.labels, padded, records.blacklisted, masked)
