"""Tables of guesses, as CSV or Parquet: a row per guess, or per image without a guess."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import (
    Guessed,
    Key,
    check_guesses,
    format_number,
    in_image_order,
    parse_number,
)

COLUMNS = ["image", "rank", "class", "xmin", "ymin", "xmax", "ymax", "score"]
NEEDED = [column for column in COLUMNS if column != "score"]
Cells = Mapping[str, object]


def read_csv_guesses(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        _check_columns(path, reader.fieldnames or [])
        rows = [(f"{path}, line {reader.line_num}", row) for row in reader]
    for where, row in rows:
        _check_complete(where, row)
    return in_image_order(_images(rows, key), key, str(path))


def read_parquet_guesses(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images."""
    with reading(path, "cannot be read as Parquet"):
        table = pq.read_table(path)
        table.validate(full=True)
        _check_columns(path, table.column_names)
        rows = [(f"{path}, row {index}", row) for index, row in enumerate(table.to_pylist())]
    return in_image_order(_images(rows, key), key, str(path))


def write_csv(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for guessed in guesses:
            for rank, (label, box) in enumerate(zip(guessed.labels, guessed.boxes, strict=True)):
                score = "" if guessed.scores is None else format_number(guessed.scores[rank])
                row = [guessed.id, rank + 1, key.classes[label], *map(format_number, box), score]
                writer.writerow(row)
            if not guessed.labels:
                writer.writerow([guessed.id, *[""] * (len(COLUMNS) - 1)])


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise GapnetError(
            f"{path}: lacks the column {missing[0]}; a table of guesses has {','.join(COLUMNS)} "
            "(score is optional), a file of Kaggle ImageId,PredictionString"
        )


def _check_complete(where: str, row: Mapping[str | None, object]) -> None:
    """Refuse a line with more or fewer fields, which a DictReader marks by None."""
    if None in row or None in row.values():
        raise GapnetError(f"{where}: must have as many fields as the first line")


def _images(rows: Sequence[tuple[str, Cells]], key: Key) -> Iterator[tuple[str, Guessed]]:
    """Yield the guesses per image, ordered by rank, with their place in the file."""
    images: dict[str, list[tuple[float, str, Cells]]] = {}
    for where, row in rows:
        ranked = images.setdefault(key.image(str(row["image"]), where), [])
        if any(row[column] not in ("", None) for column in NEEDED[1:]):
            ranked.append((parse_number(str(row["rank"]), where), where, row))
    for name, ranked in images.items():
        ranked.sort(key=lambda row: row[0])
        ranks = [rank for rank, _, _ in ranked]
        where = ranked[0][1] if ranked else name
        if ranks != list(range(1, len(ranks) + 1)):
            listed = ", ".join(f"{rank:g}" for rank in ranks)
            raise GapnetError(f"{where}: image {name} has guesses of ranks {listed}, not 1, 2, ...")
        yield where, _guessed(name, ranked, key)


def _guessed(name: str, ranked: Sequence[tuple[float, str, Cells]], key: Key) -> Guessed:
    labels, boxes, scores = [], [], []
    for _, where, row in ranked:
        label = key.label(str(row["class"] or ""), where)
        x1, y1, x2, y2 = (parse_number(str(row[side]), where) for side in COLUMNS[3:7])
        check_guesses(Guessed(name, [label], [(x1, y1, x2, y2)]), where)
        labels.append(label)
        boxes.append((x1, y1, x2, y2))
        if row.get("score") not in ("", None):
            scores.append(parse_number(str(row["score"]), where))
    return Guessed(name, labels, boxes, scores if len(scores) == len(labels) else None)
