"""Classes, scores and boxes of explained pictures as a table, in CSV or in the format of COCO."""

import json
from collections.abc import Sequence
from io import StringIO
from typing import NamedTuple

from gapnet.explanations.explanation import Explanation
from gapnet.text.spreadsheet import write_rows

SCORE_DIGITS = 6

COLUMNS = (
    *("image", "method", "rank", "class", "id", "name", "score"),
    *("x1", "y1", "x2", "y2", "width", "height"),
)


class Row(NamedTuple):
    """A class of a picture."""

    image: str
    method: str
    rank: int
    label: int
    class_id: str
    name: str
    score: float
    box: tuple[float, float, float, float]
    size: tuple[int, int]


def rows_of(image: str, method: str, explanation: Explanation) -> list[Row]:
    """Return a row per class of an explained picture."""
    return [
        Row(
            image,
            method,
            rank,
            explanation.labels[rank],
            explanation.ids[rank],
            explanation.names[rank],
            explanation.scores[rank],
            tuple(explanation.boxes[rank].tolist()),
            (explanation.image.width, explanation.image.height),
        )
        for rank in range(len(explanation.labels))
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV; boxes are inclusive corners in pixels."""
    text = StringIO()
    write_rows(text, [COLUMNS, *map(_cells, rows)], end="\n")
    return text.getvalue()


def _cells(row: Row) -> list[object]:
    classes = (row.rank + 1, row.label, row.class_id, row.name, round(row.score, SCORE_DIGITS))
    return [row.image, row.method, *classes, *row.box, *row.size]


def as_coco(rows: Sequence[Row]) -> str:
    """Return rows as a data set of COCO, whose boxes are x, y, width, height."""
    sizes = {row.image: row.size for row in rows}
    numbers = {image: number for number, image in enumerate(sizes)}
    return json.dumps(
        {
            "images": [
                {"id": numbers[image], "file_name": image, "width": size[0], "height": size[1]}
                for image, size in sizes.items()
            ],
            "categories": [
                {"id": label, "name": name}
                for label, name in sorted({(row.label, row.name) for row in rows})
            ],
            "annotations": [
                {
                    "id": number,
                    "image_id": numbers[row.image],
                    "category_id": row.label,
                    "score": row.score,
                    "bbox": _corner_and_size(row.box),
                    "method": row.method,
                }
                for number, row in enumerate(rows)
            ],
        },
        indent=1,
    )


def _corner_and_size(box: tuple[float, float, float, float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1 + 1, y2 - y1 + 1]
