"""Which part of an image is shown: the whole, the box of a class map, or the true box (table 4)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from gapnet.data.loading.images import Parts
from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.evaluation.predictions import Predictions

Region = Literal["full", "crop", "box"]
MapClass = Literal["predicted", "label"]


def true_parts(records: Records, split: str) -> Parts:
    """Return the smallest box that covers all true boxes of an image, by image id."""
    return {record.id: _cover(record.boxes, record.id, split) for record in records}


def _cover(boxes: Tensor | None, image: str, split: str) -> Sequence[float]:
    if boxes is None or not len(boxes):
        raise GapnetError(
            f"region=box: image {image} of split {split!r} has no box; use region=crop or full"
        )
    return [*boxes[:, :2].amin(0).tolist(), *boxes[:, 2:].amax(0).tolist()]


def predicted_parts(predictions: Predictions, map_class: MapClass) -> Parts:
    """Return the box of a class map of every image, by image id.

    Args:
        predictions: with one guess per class.
        map_class: predicted, the class with the highest decision value; or label, the true one.
    """
    boxes = predictions.known if map_class == "label" else predictions.guesses.boxes[:, 0]
    if boxes is None:
        raise GapnetError(
            f"train_crops=label: an image of split {predictions.about.split!r} has no box or no "
            "class, so it has no map of its class; use train_crops=predicted"
        )
    return dict(zip(predictions.ids, boxes.tolist(), strict=True))
