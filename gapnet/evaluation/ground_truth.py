"""The ground truth that predictions are scored against."""

from collections import Counter
from dataclasses import dataclass

from torch import Tensor

from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.metrics.functional import PaddedBoxes, pad_boxes


@dataclass(frozen=True)
class Truth:
    """Hold the ground truth of a split.

    Args:
        ids: of the images.
        labels: (N,).
        boxes: unless some image has none.
        blacklisted: what the devkit leaves out of localization, (N,).
        masked: whether the objects' pixels are known.
    """

    ids: list[str]
    labels: Tensor
    boxes: PaddedBoxes | None
    blacklisted: Tensor
    masked: bool = False

    def __post_init__(self) -> None:
        """Refuse what would make an image count twice."""
        twice = [each for each, times in Counter(self.ids).items() if times > 1]
        if twice:
            raise GapnetError(f"image {twice[0]}: is listed twice; an id names one image")

    @property
    def known(self) -> bool:
        """Tell whether there is a truth to score against."""
        return bool((self.labels != UNKNOWN).all())


def truth_of(records: Records) -> Truth:
    """Gather the ground truth of records."""
    boxes = records.boxes
    padded = None if boxes is None else pad_boxes(boxes.xyxy, boxes.counts)
    masked = bool(len(records)) and all(len(each) for each in records.table["masks"].to_pylist())
    return Truth(records.ids, records.labels, padded, records.blacklisted, masked)
