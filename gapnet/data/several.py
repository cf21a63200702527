"""The class of an image whose objects are of several classes."""

import logging
from collections.abc import Sequence
from typing import Literal

import torch

from gapnet.data.annotated import AnnotatedImage, AnnotatedImages, Object
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError

Several = Literal["largest", "first", "skip", "all"]
EXAMPLE = "images/a.jpg"
log = logging.getLogger(__name__)


def records_of(
    images: AnnotatedImages, classes: Sequence[str], several: Several, *, split: str
) -> Records:
    """Make records of images, each with one class and the boxes of this class.

    Images without objects are left out.

    Args:
        images: with their objects.
        classes: ids of the classes, in the order of their labels.
        several: the class of an image whose objects are of several: that of the largest box, that
            of the first object, or none, so that the image is left out. all: that of the largest
            box, and `labels` are all of them.
        split: for messages.
    """
    index = {class_id: label for label, class_id in enumerate(classes)}
    with_objects = [image for image in images if image.objects]
    mixed = {image.id for image in with_objects if len(_classes_of(image)) > 1}
    _log_counts(images, len(with_objects), len(mixed), several, split)
    chosen = [image for image in with_objects if several != "skip" or image.id not in mixed]
    if not chosen:
        raise GapnetError(
            f"split {split!r}: none of its {len(images)} images has objects of one class; annotate "
            "them, or choose another data.several"
        )
    return Records.of((_record(image, images, index, several) for image in chosen), images.root)


def _record(
    image: AnnotatedImage, images: AnnotatedImages, index: dict[str, int], several: Several
) -> Record:
    for class_id in _classes_of(image):
        if class_id not in index:
            raise GapnetError(
                f"{image.id}: has an object of class {class_id!r}, which is not among the "
                f"{len(index)} classes; correct the annotation, or list all classes"
            )
    first = image.objects[0].class_id
    class_id = first if several == "first" else _class_of_largest(image.objects)
    boxes = [thing.box for thing in image.objects if thing.class_id == class_id and thing.box]
    labels = sorted(index[class_id] for class_id in _classes_of(image))
    return Record(
        image.id,
        images.root / image.id,
        index[class_id],
        torch.tensor(boxes, dtype=torch.float32) if boxes else None,
        labels=tuple(labels) if several == "all" else (),
    )


def _classes_of(image: AnnotatedImage) -> set[str]:
    return {thing.class_id for thing in image.objects}


def _class_of_largest(objects: Sequence[Object]) -> str:
    """Return the class of the object with the largest box; of equal ones, that of the first."""
    return max(objects, key=_area).class_id


def _area(thing: Object) -> float:
    if thing.box is None:
        return -1
    x1, y1, x2, y2 = thing.box
    return (x2 - x1 + 1) * (y2 - y1 + 1)


def _log_counts(
    images: AnnotatedImages, with_objects: int, mixed: int, several: Several, split: str
) -> None:
    for note in images.notes:
        log.warning("%s: %s", split, note)
    if with_objects < len(images):
        empty = len(images) - with_objects
        log.info("%s: %d of %d images have no object; left out", split, empty, len(images))
    if mixed:
        text = "%s: %d of %d images have objects of several classes; data.several=%s %s"
        log.info(text, split, mixed, len(images), several, EFFECTS[several])


EFFECTS: dict[Several, str] = {
    "largest": "takes the class of the largest box",
    "first": "takes the class of the first object",
    "skip": "leaves them out",
    "all": "keeps all of them",
}
