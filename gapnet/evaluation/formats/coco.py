"""COCO's results: a list of `{image_id, category_id, bbox: [x, y, width, height], score}`.

`category_id` is the index of the class, from 1; the order of the guesses is that of their scores.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import Guessed, Key, check_guesses, in_order
from gapnet.system.value_checks import whole_number

KEYS = ("image_id", "category_id", "bbox", "score")
SIDES = 4
SHOWN = 200  # characters of a result that makes no sense
Box = tuple[float, float, float, float]


def read_coco(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images; one that is not named has no guess."""
    with reading(path, "is not readable JSON"):
        results = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(results, list):
        raise GapnetError(
            f"{path}: must be a list of COCO's results, is a {type(results).__name__}"
        )
    found = list(_images(path, results, key))
    named = {guessed.id for _, guessed in found}
    found += [(str(path), Guessed(each, [], [])) for each in key.ids if each not in named]
    return in_order(found, key, str(path))


def write_coco(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses; the scores of those that have none fall with their rank."""
    del key
    results = [
        {
            "image_id": each.id,
            "category_id": label + 1,
            "bbox": [box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1],
            "score": score,
        }
        for each in guesses
        for label, box, score in zip(each.labels, each.boxes, _falling(each), strict=True)
    ]
    path.write_text("[\n" + ",\n".join(map(json.dumps, results)) + "\n]\n", encoding="utf-8")


def _falling(guessed: Guessed) -> list[float]:
    """Give scores that keep the order of the guesses."""
    scores = guessed.scores
    if scores is None or scores != sorted(scores, reverse=True):
        return [1 / rank for rank in range(1, len(guessed.labels) + 1)]
    return scores


def _images(path: Path, results: list[object], key: Key) -> Iterator[tuple[str, Guessed]]:
    images: dict[str, list[tuple[float, int, Box]]] = {}
    for place, result in enumerate(results):
        where = f"{path}, result {place}"
        image, label, box, score = _read(result, where)
        whole_number(f"{where}: category_id", label, least=1, most=len(key.classes))
        check_guesses(Guessed(image, [label], [box], [score]), where)
        images.setdefault(key.image(image, where), []).append((score, label - 1, box))
    for name, some in images.items():
        some.sort(key=lambda each: -each[0])
        scores, labels, boxes = map(list, zip(*some, strict=True))
        yield f"{path}, image {name}", Guessed(name, labels, boxes, scores)


def _read(result: object, where: str) -> tuple[str, int, Box, float]:
    if not isinstance(result, dict) or any(name not in result for name in KEYS):
        raise GapnetError(f"{where}: must have {', '.join(KEYS)}, is {json.dumps(result)[:SHOWN]}")
    image, label, box, score = (result[name] for name in KEYS)
    numbers = [*box, score] if isinstance(box, list) else []
    if len(numbers) != SIDES + 1 or not all(type(each) in (int, float) for each in numbers):
        raise GapnetError(
            f"{where}: bbox={box}, score={score}: must be four numbers [x, y, width, height], and "
            "one"
        )
    x, y, width, height = map(float, box)
    if width <= 0 or height <= 0:
        raise GapnetError(f"{where}: bbox={box}: width and height must be above 0")
    return str(image), label, (x, y, x + width - 1, y + height - 1), float(score)
