"""YOLO's text files: a line per object, with a box in shares of the width and height."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import yaml

from gapnet.data.annotated import AnnotatedImage, Object
from gapnet.data.clipping import clipped
from gapnet.data.options import Reading
from gapnet.data.readers.annotations import is_whole, read_lines
from gapnet.data.readers.image_sizes import header_size
from gapnet.errors import GapnetError, reading, reason

BOX, POINT = 4, 2  # numbers of a box, and of a point of a polygon
LEAST_POINTS = 3  # of a polygon


def read_yolo_names(path: Path) -> list[str]:
    """Read the names of the classes, in order, from a data.yaml or a list with a name per line."""
    if path.suffix == ".txt":
        names: object = read_lines(path)
    else:
        with reading(path, "is not readable YAML", "restore the file"):
            content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and sorted(names, key=str) == sorted(range(len(names)), key=str):
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise GapnetError(
            f"{path}: names must be a list of words, or have the numbers from 0 on; put quotes "
            "around numbers, yes and no"
        )
    if not names or len(set(names)) < len(names):
        raise GapnetError(f"{path}: names must be unique, and at least one; correct them")
    return names


def read_yolo_image(
    image: tuple[str, Path, Path], *, names: Sequence[str], files: Reading
) -> AnnotatedImage:
    """Read the objects of an image, given as its id, its path and that of its labels.

    An image without a file of labels has no objects.
    """
    id_, path, labels = image
    if not labels.exists():
        return AnnotatedImage(id_, [])
    with reading(labels, "is not a text file", "restore the file"):
        lines = labels.read_text(encoding="utf-8-sig").splitlines()
    size = _size(path, files)
    read = partial(_object, names=names, size=size)
    objects = [
        read(line.split(), where=f"{labels}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    return AnnotatedImage(id_, objects, size)


def _size(path: Path, files: Reading) -> tuple[int, int]:
    """Read (height, width), or (0, 0) of an image that cannot be read and will be skipped."""
    try:
        return header_size(path, exif=files.exif)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything at invalid bytes
        if files.on_corrupt == "skip":
            return 0, 0
        raise GapnetError(f"{path}: cannot be read as an image ({reason(error)})") from error


def _object(
    fields: Sequence[str], *, names: Sequence[str], size: tuple[int, int], where: str
) -> Object:
    number = fields[0]
    if not is_whole(number) or int(number) >= len(names):
        raise GapnetError(
            f"{where}: class {number!r} must be an integer >= 0 and < {len(names)}, the number of "
            "names"
        )
    x1, y1, x2, y2 = _edges(_shares(fields[1:], where), where)
    height, width = size
    if not height:  # of an unreadable image
        return Object(names[int(number)], None)
    box = clipped((x1 * width, y1 * height, x2 * width, y2 * height), size, where)
    return Object(names[int(number)], box)


def _shares(fields: Sequence[str], where: str) -> list[float]:
    try:
        shares = [float(field) for field in fields]
    except ValueError:
        raise GapnetError(f"{where}: {' '.join(fields)!r} must be numbers; correct it") from None
    if not all(0 <= share <= 1 for share in shares):  # false for NaN
        raise GapnetError(
            f"{where}: {' '.join(fields)!r} must be shares of the image, from 0 to 1; correct it"
        )
    return shares


def _edges(shares: Sequence[float], where: str) -> tuple[float, float, float, float]:
    """Return x1, y1, x2, y2 of a box (x and y of its centre, width, height) or of a polygon."""
    if len(shares) == BOX:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(shares) < LEAST_POINTS * POINT or len(shares) % POINT:
        raise GapnetError(
            f"{where}: must be a class and x, y, width, height, or a class and the x and y of a "
            f"polygon's points, not {1 + len(shares)} numbers"
        )
    across, down = shares[::POINT], shares[1::POINT]
    return min(across), min(down), max(across), max(down)
