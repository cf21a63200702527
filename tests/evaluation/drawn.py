"""Random predictions and truths, with all that makes scoring hard."""

import random
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.store import SCHEMA, About, Row
from gapnet.metrics.functional import pad_lists

Box = tuple[float, float, float, float]
CUTS = (0.0, 0.1, 0.2, 0.3)


class Drawn(NamedTuple):
    """Hold the same case as plain lists, for oracles, and as the objects that are scored."""

    sizes: list[tuple[int, int]]
    labels: list[int]
    true_boxes: list[list[Box]]
    guesses: list[list[tuple[int, Box]]]
    known: list[Box]
    blacklist: set[int]
    predictions: Predictions
    truth: SplitTruth


def random_box(rng: random.Random, height: int, width: int) -> Box:
    x1, y1 = rng.randrange(width), rng.randrange(height)
    return float(x1), float(y1), float(rng.randrange(x1, width)), float(rng.randrange(y1, height))


def guess(rng: random.Random, truths: list[Box], height: int, width: int) -> Box:
    """Guess near a true box, with overlaps of exactly one half now and then."""
    x1, y1, x2, y2 = rng.choice(truths)
    kind = rng.randrange(4)
    if kind == 0:
        return random_box(rng, height, width)
    if kind == 1:  # half of it, to the pixel, where its width is even
        return x1, y1, x1 + (x2 - x1 + 1) // 2 - 1 if x2 > x1 else x2, y2
    if kind == 2:  # twice as high
        return x1, y1, x2, y2 + (y2 - y1 + 1)
    return max(0, x1 - 2), y1, x2, y2


def draw(count: int, *, classes: int = 8, seed: int = 0, most: int = 5) -> Drawn:
    rng = random.Random(seed)
    sizes = [(rng.randint(4, 60), rng.randint(4, 60)) for _ in range(count)]
    labels = [rng.randrange(classes) for _ in sizes]
    true_boxes = [[random_box(rng, *size) for _ in range(rng.randint(1, 4))] for size in sizes]
    guesses, known = [], []
    for size, label, boxes in zip(sizes, labels, true_boxes, strict=True):
        some = [
            (rng.choice([label, rng.randrange(classes)]), guess(rng, boxes, *size))
            for _ in range(rng.randint(1, most))
        ]
        guesses.append(some)
        known.append(guess(rng, boxes, *size))
    blacklist = set(rng.sample(range(1, count + 1), count // 28))
    rows = [_row(*each, rng=rng) for each in zip(range(count), sizes, guesses, known, strict=True)]
    table = pa.Table.from_pylist([row._asdict() for row in rows], schema=SCHEMA)
    about = About("test", tuple(f"c{index}" for index in range(classes)), "net", "", 0.2, CUTS)
    truth = SplitTruth(
        [row.id for row in rows],
        torch.tensor(labels),
        pad_lists([torch.tensor(each) for each in true_boxes]),
        torch.tensor([place in blacklist for place in range(1, count + 1)]),
    )
    return Drawn(
        sizes, labels, true_boxes, guesses, known, blacklist, Predictions(table, about), truth
    )


def _row(
    place: int,
    size: tuple[int, int],
    guesses: list[tuple[int, Box]],
    known: Box,
    *,
    rng: random.Random,
) -> Row:
    height, width = size
    swept = np.array([random_box(rng, height, width) for _ in CUTS], np.int16)
    return Row(
        id=f"image{place}",
        height=height,
        width=width,
        classes=[label for label, _ in guesses],
        scores=[0.5 for _ in guesses],
        guess_labels=[label for label, _ in guesses],
        guess_boxes=[edge for _, box in guesses for edge in box],
        known_box=known,
        window=(0.0, 0.0, float(width), float(height)),
        grid=size,
        swept_boxes=swept.flatten(),
        swept_cuts=np.arange(len(CUTS), dtype=np.int16),
    )
