"""COCO's results: a list of `{image_id, category_id, bbox: [x, y, width, height], score}`.

`category_id` is the index of the class, from 1; guesses are ordered by their scores.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import Guessed, Key, check_guesses, in_image_order
from gapnet.system.value_checks import whole_number

KEYS = ("image_id", "category_id", "bbox", "score")
SIDES = 4
SHOWN = 200  # characters of an invalid result in an error
Box = tuple[float, float, float, float]


def read_coco_guesses(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images; an image that is not listed has no guess."""
    with reading(path, "is not readable JSON"):
        results = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(results, list):
        raise GapnetError(
            f"{path}: must be a list of COCO's results, not a {type(results).__name__}"
        )
    guesses = list(_images(path, results, key))
    listed = {guessed.id for _, guessed in guesses}
    guesses += [(str(path), Guessed(image, [], [])) for image in key.ids if image not in listed]
    return in_image_order(guesses, key, str(path))


def write_coco(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses; if scores are missing or unordered, 1 / rank is written."""
    del key
    results = [
        {
            "image_id": guessed.id,
            "category_id": label + 1,
            "bbox": [box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1],
            "score": score,
        }
        for guessed in guesses
        for label, box, score in zip(
            guessed.labels, guessed.boxes, _descending_scores(guessed), strict=True
        )
    ]
    path.write_text("[\n" + ",\n".join(map(json.dumps, results)) + "\n]\n", encoding="utf-8")


def _descending_scores(guessed: Guessed) -> list[float]:
    """Return scores in the order of the guesses."""
    scores = guessed.scores
    if scores is None or scores != sorted(scores, reverse=True):
        return [1 / rank for rank in range(1, len(guessed.labels) + 1)]
    return scores


def _images(path: Path, results: list[object], key: Key) -> Iterator[tuple[str, Guessed]]:
    images: dict[str, list[tuple[float, int, Box]]] = {}
    for index, result in enumerate(results):
        where = f"{path}, result {index}"
        image, label, box, score = _read(result, where)
        whole_number(f"{where}: category_id", label, least=1, most=len(key.classes))
        check_guesses(Guessed(image, [label], [box], [score]), where)
        images.setdefault(key.image(image, where), []).append((score, label - 1, box))
    for name, guesses in images.items():
        guesses.sort(key=lambda guess: -guess[0])
        scores, labels, boxes = map(list, zip(*guesses, strict=True))
        yield f"{path}, image {name}", Guessed(name, labels, boxes, scores)


def _read(result: object, where: str) -> tuple[str, int, Box, float]:
    if not isinstance(result, dict) or any(name not in result for name in KEYS):
        raise GapnetError(f"{where}: must have {', '.join(KEYS)}, not {json.dumps(result)[:SHOWN]}")
    image, label, box, score = (result[name] for name in KEYS)
    numbers = [*box, score] if isinstance(box, list) else []
    if len(numbers) != SIDES + 1 or not all(type(number) in (int, float) for number in numbers):
        raise GapnetError(
            f"{where}: bbox={box}, score={score}: must be four numbers [x, y, width, height], "
            "and a number"
        )
    x, y, width, height = map(float, box)
    if width <= 0 or height <= 0:
        raise GapnetError(f"{where}: bbox={box}: width and height must be above 0")
    return str(image), label, (x, y, x + width - 1, y + height - 1), float(score)
