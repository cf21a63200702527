"""Guesses with all that makes them hard to write down, and short ones to spoil."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Guessed, Key
from gapnet.evaluation.formats.exchange import Read, rows_of
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.store import SCHEMA, About
from tests.evaluation.drawn import Box, draw

AWKWARD = (0.0, 1 / 3, 1e-7, 0.1, 2**-20)
KEY = Key(["val/a.JPEG", "val/c.JPEG", "val/b.JPEG"], ["n01", "n02", "n03"], {1: 2, 2: 0, 3: 1})


def single(value: float) -> float:
    return float(np.float32(value))


def awkward(rng: random.Random, box: Box) -> Box:
    x1, y1 = (single(edge + rng.choice(AWKWARD)) for edge in box[:2])
    x2, y2 = (single(edge + 1 + rng.random()) for edge in box[2:])
    return x1, y1, x2, y2


def draw_guesses(seed: int, *, count: int = 40, classes: int = 9) -> tuple[Key, list[Guessed]]:
    """Draw 0 to 5 guesses an image, labels repeated, for ids that are in no order."""
    rng = random.Random(seed)
    ids = [f"val/ILSVRC2012_val_{place:08d}.JPEG" for place in range(count)]
    rng.shuffle(ids)
    guesses = []
    for name, some in zip(ids, draw(count, classes=classes, seed=seed).guesses, strict=True):
        kept = some[rng.randrange(2) :]
        boxes = [awkward(rng, box) for _, box in kept]
        guesses.append(Guessed(name, [label for label, _ in kept], boxes))
    class_ids = [f"n{index:08d}" for index in range(classes)]
    numbers = rng.sample(range(1, classes + 1), classes)
    return Key(ids, class_ids, {number: index for index, number in enumerate(numbers)}), guesses


def truth_of(key: Key, labels: list[int] | None = None) -> SplitTruth:
    """Return the truth of labels; without labels they are unknown."""
    count = len(key.ids)
    all_labels = torch.tensor([-1] * count if labels is None else labels)
    return SplitTruth(list(key.ids), all_labels, None, torch.zeros(count, dtype=torch.bool))


def same(guesses: list[Guessed], expected: list[Guessed]) -> None:
    """Compare labels, and boxes in single precision."""
    assert [guessed[:2] for guessed in guesses] == [guessed[:2] for guessed in expected]
    for mine, theirs in zip(guesses, expected, strict=True):
        assert np.array_equal(np.float32(mine.boxes), np.float32(theirs.boxes))


def refused(read: Read, path: Path, key: Key, *parts: str) -> None:
    """Expect an error of one line that begins with the path and has all parts."""
    with pytest.raises(GapnetError) as error:
        read(path, key)
    line = str(error.value)
    assert line.startswith(str(path)), line
    assert "\n" not in line
    for part in parts:
        assert part in line, line


def predictions_of(guesses: Sequence[Guessed], sizes: Tensor, about: About) -> Predictions:
    """Make predictions of guesses for images of sizes (N, 2)."""
    rows = [row._asdict() for row in rows_of(guesses, sizes)]
    return Predictions(pa.Table.from_pylist(rows, schema=SCHEMA), about)
