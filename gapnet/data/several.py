"""The class of an image whose objects are of several classes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gapnet.data.annotated import SIDES, AnnotatedImages
from gapnet.data.record_table import LABELS, MULTI_LABEL_SCHEMA, SCHEMA
from gapnet.data.records import Records
from gapnet.errors import GapnetError

Several = Literal["largest", "first", "skip", "all"]
Rows = NDArray[np.int64]
EFFECTS: dict[Several, str] = {
    "largest": "takes the class of the largest box",
    "first": "takes the class of the first object",
    "skip": "leaves them out",
    "all": "keeps all of them",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Objects:
    """The M objects of N images: image, label and box of every object; NaN for no box.

    The objects of an image are one after the other.
    """

    images: Rows
    labels: Rows
    boxes: NDArray[np.float32]

    def first(self) -> Rows:
        """Return the first object of every image that has one."""
        return np.flatnonzero(np.diff(self.images, prepend=-1))

    def largest(self) -> Rows:
        """Return the object with the largest box of every image; of equal boxes, the first."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2] + 1
        areas = np.nan_to_num(sides.prod(1), nan=-1.0)
        order = np.lexsort((-areas, self.images))  # stable: of equal ones, the first stays first
        return order[self.first()]

    def pairs(self) -> tuple[Rows, Rows]:
        """Return pairs of an image and a label that its objects have, without repetition."""
        pairs = np.unique(np.stack([self.images, self.labels], 1), axis=0)
        return pairs[:, 0], pairs[:, 1]


def records_of(
    images: AnnotatedImages, classes: Sequence[str], several: Several, *, split: str
) -> Records:
    """Make records of images, each with one class and the boxes of this class.

    Images without objects are left out.

    Args:
        images: with their objects.
        classes: ids of the classes, in the order of their labels.
        several: the class of an image with objects of several classes: that of the largest box, or
            of the first object; skip: the image is left out; all: that of the largest box, and
            `labels` has all classes.
        split: for messages.
    """
    objects = _objects(images, classes)
    chosen = objects.first() if several == "first" else objects.largest()
    different = np.bincount(objects.pairs()[0], minlength=len(images))
    _log_counts(images, different, several, split)
    used = different == 1 if several == "skip" else different > 0
    if not used.any():
        raise GapnetError(
            f"split {split!r} of {images.root}: none of its {len(images)} images has objects of "
            "one class; annotate them, or choose another data.several"
        )
    labels = np.full(len(images), -1)
    labels[objects.images[chosen]] = objects.labels[chosen]
    return _table(images, objects, labels, used, multi_label=several == "all")


def _objects(images: AnnotatedImages, classes: Sequence[str]) -> Objects:
    owners, ids = images.owners(), images.object_classes()
    labels = pc.index_in(ids, value_set=pa.array(classes, pa.string()))
    if labels.null_count:
        row = int(np.flatnonzero(labels.is_null().to_numpy(zero_copy_only=False))[0])
        raise GapnetError(
            f"{images.root / images.ids[owners[row]]}: has an object of class {ids[row].as_py()!r},"
            f" which is not among the {len(classes)} classes; correct the annotation, or set "
            "data.class_ids"
        )
    return Objects(owners, labels.to_numpy().astype(np.int64), images.boxes())


def _table(
    images: AnnotatedImages,
    objects: Objects,
    labels: Rows,
    used: NDArray[np.bool_],
    *,
    multi_label: bool,
) -> Records:
    """Make records of the used images (N,) with labels (N,)."""
    count = int(used.sum())
    own = (objects.labels == labels[objects.images]) & ~np.isnan(objects.boxes[:, 0])
    own &= used[objects.images]
    boxes = np.bincount(objects.images[own], minlength=len(images))[used]
    ids = pa.array(images.ids, pa.string()).filter(pa.array(used))
    columns = {
        "id": ids,
        "path": ids,
        "label": pa.array(labels[used], pa.int32()),
        "boxes": _lists(objects.boxes[own].ravel(), SIDES * boxes, pa.float32(), empty=None),
        "masks": pa.array([[]] * count, pa.list_(pa.string())),
        "ignore": pa.nulls(count, pa.string()),
        "blacklisted": pa.array(np.zeros(count, bool)),
    }
    if multi_label:
        owners, sets = objects.pairs()
        counts = np.bincount(owners, minlength=len(images))[used]
        columns[LABELS] = _lists(sets, counts, pa.int32(), empty=[])
    schema = MULTI_LABEL_SCHEMA if multi_label else SCHEMA
    return Records(pa.table(columns, schema=schema), images.root)


def _lists(
    values: NDArray[np.generic], counts: Rows, kind: pa.DataType, *, empty: list[int] | None
) -> pa.ListArray:
    """Return lists of `counts` values each; an empty list is null if `empty` is None."""
    offsets = pa.array(np.concatenate([[0], counts.cumsum()]), pa.int32())
    mask = pa.array(counts == 0) if empty is None else None
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind), mask=mask)


def _log_counts(images: AnnotatedImages, different: Rows, several: Several, split: str) -> None:
    empty, mixed = int((different == 0).sum()), int((different > 1).sum())
    if empty:
        log.info("%s: %d of %d images have no object; left out", split, empty, len(images))
    if mixed:
        text = "%s: %d of %d images have objects of several classes; data.several=%s %s"
        log.info(text, split, mixed, len(images), several, EFFECTS[several])
