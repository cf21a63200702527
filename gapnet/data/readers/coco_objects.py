"""COCO's instances: images, categories, and annotations with boxes, in one JSON file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gapnet.data.annotated import SIDES, AnnotatedImage, Object
from gapnet.data.clipping import clipped
from gapnet.data.image_folder import check_inside
from gapnet.errors import GapnetError, reading
from gapnet.ops.boxes import LARGEST

NEEDS = (
    "it needs images (id, file_name), categories (id, name) and annotations (image_id, "
    "category_id, bbox)"
)


class CocoImages(NamedTuple):
    """The images of a file by their `file_name`, and the categories by their number."""

    images: list[AnnotatedImage]
    categories: list[str]


def read_coco_objects(path: Path) -> CocoImages:
    """Read a file; the id of an image is its `file_name`. Annotations of crowds are left out.

    A box of less than a pixel is left out, but its object is not.
    """
    with reading(path, "is not well-formed JSON", "restore the file"):
        content = json.loads(path.read_bytes())
    try:
        return _read(content, path)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise GapnetError(
            f"{path}: is not a COCO file ({type(error).__name__}: {error}); {NEEDS}"
        ) from error


def _read(content: Mapping[str, Any], path: Path) -> CocoImages:
    categories = _by_id(content["categories"], "name", path)
    images = _by_id(content["images"], "file_name", path)
    for name in images.values():
        check_inside(name, str(path))
    sizes = {entry["id"]: _size(entry, path) for entry in content["images"]}
    objects: dict[object, list[Object]] = {number: [] for number in images}
    for entry in content["annotations"]:
        if entry.get("iscrowd"):
            continue
        number, where = entry["image_id"], f"{path}: annotation {entry.get('id')}"
        for key, known in (("image_id", images), ("category_id", categories)):
            if entry[key] not in known:
                raise GapnetError(f"{where}: {key}={entry[key]!r} is not listed; correct it")
        box = _box(entry["bbox"], sizes[number], where)
        objects[number].append(Object(categories[entry["category_id"]], box))
    annotated = [
        AnnotatedImage(name, objects[number], sizes[number]) for number, name in images.items()
    ]
    ordered = sorted(categories, key=lambda number: (isinstance(number, str), number))
    return CocoImages(annotated, [categories[number] for number in ordered])


def _by_id(entries: Sequence[Mapping[str, Any]], key: str, path: Path) -> dict[Any, str]:
    values: dict[Any, str] = {}
    for entry in entries:
        if entry["id"] in values:
            raise GapnetError(f"{path}: id {entry['id']!r} is listed twice; correct it")
        values[entry["id"]] = str(entry[key])
    if len(set(values.values())) < len(values):
        raise GapnetError(f"{path}: a {key} is listed twice; every one must be unique")
    return values


def _size(entry: Mapping[str, Any], path: Path) -> tuple[int, int]:
    """Return (height, width) of an image, or (0, 0) if it is not stated."""
    height, width = (entry.get(side, 0) for side in ("height", "width"))
    for side in (height, width):
        if not (isinstance(side, int) and 0 <= side <= LARGEST):
            raise GapnetError(
                f"{path}: image {entry['id']!r}: its size {width!r} x {height!r} must be in pixels"
            )
    return (height, width) if height and width else (0, 0)


def _box(bbox: object, size: tuple[int, int], where: str) -> list[float] | None:
    """Turn x, y, width and height, from the edge of the image, into inclusive pixels."""
    numbers = bbox if isinstance(bbox, list) and len(bbox) == SIDES else []
    fits = [type(number) in {int, float} and abs(number) <= LARGEST for number in numbers]
    if not numbers or not all(fits) or min(numbers[2:]) < 0:  # NaN does not fit
        raise GapnetError(
            f"{where}: bbox={bbox!r} must be x, y, width, height in pixels; correct it"
        )
    x, y, width, height = numbers
    return clipped((x, y, x + width, y + height), size, where)
