"""Files of predictions: gapnet's own parts and verdicts, and those of other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from gapnet.evaluation.compare import compare_verdicts
from gapnet.evaluation.compare import read_verdicts as read_verdicts_table
from gapnet.evaluation.external_maps import read_map
from gapnet.evaluation.formats.base import Guessed, Key
from gapnet.evaluation.formats.exchange import (
    WRITERS,
    check_boxes_inside,
    guesses_of,
    read_guesses,
)
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.store import About, read_parts
from tests.evaluation import test_compare
from tests.evaluation.formats.guessed import predictions_of, truth_of
from tests.evaluation.test_store import row, write
from tests.fuzz.subject import BEYOND, Subject

IDS = [f"val/{name}.JPEG" for name in "acbd"]
KEY = Key(IDS, ["n01", "n02", "n03"], {1: 2, 2: 0, 3: 1})
SIZES = torch.tensor([[40, 50]] * len(IDS))
GUESSES = [
    Guessed(IDS[0], [2, 0], [(0.0, 0.0, 9.0, 9.5), (1.0, 1.0, 5.0, 5.0)], [0.5, 0.25]),
    Guessed(IDS[1], [0], [(4.0, 4.0, 40.0, 30.0)], [1.0]),
    Guessed(IDS[2], [1], [(2.0, 2.0, 4.0, 4.0)], [1.0]),
    Guessed(IDS[3], [1], [(2.0, 2.0, 4.0, 4.0)], [0.75]),
]


def guesses(name: str) -> Callable[[Path], Path]:
    write_them, suffix = WRITERS[name]

    def make(folder: Path) -> Path:
        path = folder / f"a.{suffix}"
        write_them(GUESSES, KEY, path)
        return path

    return make


def make_table(folder: Path) -> Path:
    names = ["image", "rank", "class", "xmin", "ymin", "xmax", "ymax"]
    rows = [
        dict(zip(names, [each.id, rank + 1, KEY.classes[label], *box], strict=True))
        for each in GUESSES
        for rank, (label, box) in enumerate(zip(each.labels, each.boxes, strict=True))
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    return folder / "a.parquet"


def read_foreign(path: Path) -> Any:
    images = read_guesses(path, KEY, truth_of(KEY))
    check_boxes_inside(images, SIZES, path)
    assert [image.id for image in images] == IDS
    made = predictions_of(images, SIZES, About("val", tuple(KEY.classes), "others"))
    sane_predictions(made)
    assert [image.labels for image in guesses_of(made)] == [image.labels for image in images]
    return images


def make_part(folder: Path) -> Path:
    write(folder, [row(number) for number in range(20)])
    return folder / "part-000-00000.parquet"


def read_part(path: Path) -> Any:
    ids = [f"image{number}" for number in range(20)]
    predictions = align(Predictions(*read_parts(path.parent)), ids)
    sane_predictions(predictions)
    for swept in predictions.swept(7) or ():
        assert torch.isfinite(swept.boxes).all()
        assert 0 <= swept.cuts.min() <= swept.cuts.max() < len(predictions.about.cuts)
    assert predictions.known is None or torch.isfinite(predictions.known).all()
    return predictions.table.to_pylist(), predictions.about


def sane_predictions(predictions: Predictions) -> None:
    guessed, edges = predictions.guesses
    for labels in (guessed, predictions.classes):
        count = len(predictions.about.classes)
        assert not labels.numel() or -1 <= labels.min() <= labels.max() < count
    assert torch.isfinite(edges).all()
    assert not edges.numel() or edges.abs().max() <= BEYOND
    assert (predictions.sizes >= 0).all()


def make_verdicts(folder: Path) -> Path:
    test_compare.write(folder / "other.parquet", test_compare.subject(5))
    return test_compare.write(folder / "verdicts.parquet", test_compare.subject())


def read_verdicts(path: Path) -> Any:
    differences = compare_verdicts(path, path.with_name("other.parquet"), resamples=2)
    for interval in differences:
        assert np.isfinite([interval.a, interval.b, interval.low, interval.high]).all()
    table = read_verdicts_table(path)
    return differences, table.to_pylist(), table.schema.metadata


def make_map(folder: Path) -> Path:
    np.save(folder / "a.npy", np.random.default_rng(0).random((7, 9), np.float32))
    return folder / "a.npy"


def read_heat(path: Path) -> Any:
    heat = read_map(path)
    assert heat.ndim == 2
    assert heat.numel()
    assert torch.isfinite(heat).all()
    return heat.tolist()


SUBJECTS = [
    *(Subject(f"guesses-{name}", guesses(name), read_foreign) for name in WRITERS),
    Subject("guesses.parquet", make_table, read_foreign),
    Subject("part.parquet", make_part, read_part, checksum="file"),
    Subject("verdicts.parquet", make_verdicts, read_verdicts, checksum="file"),
    Subject("map.npy", make_map, read_heat),
]
