"""Time scoring as large as ILSVRC's validation set, on drawn predictions.

python experiments/benchmarks/score.py [IMAGES]
"""

import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from gapnet.evaluation.class_errors import class_errors
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Scoring, score_predictions
from gapnet.evaluation.store import About, Row, Writer, read_parts
from gapnet.metrics.functional import pad_boxes

CLASSES, GUESSES, CUTS, SIDE = 1000, 5, 100, 400


def draw_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw boxes (count, 4) in a square image."""
    corners = np.sort(rng.integers(0, SIDE, (count, 2, 2)), axis=1)
    return corners.reshape(count, 4).astype(np.float32)


def write_predictions(images: int, folder: Path) -> None:
    """Write predictions of random boxes."""
    rng = np.random.default_rng(0)
    cuts = tuple(index / CUTS for index in range(CUTS))
    about = About("val", tuple(f"n{index:08d}" for index in range(CLASSES)), "drawn", "", 0.2, cuts)
    writer = Writer(folder, about)
    for place in range(images):
        labels = rng.choice(CLASSES, GUESSES, replace=False)
        row = Row(
            id=f"ILSVRC2012_val_{place:08d}",
            height=SIDE,
            width=SIDE,
            classes=labels.tolist(),
            scores=[0.2] * GUESSES,
            guess_labels=labels.tolist(),
            guess_boxes=draw_boxes(rng, GUESSES).ravel().tolist(),
            known_box=draw_boxes(rng, 1)[0].tolist(),
            window=(0.0, 0.0, SIDE, SIDE),
            grid=(SIDE, SIDE),
            swept_boxes=draw_boxes(rng, CUTS).ravel().astype(np.int16),
            swept_cuts=np.arange(CUTS, dtype=np.int16),
        )
        writer.add([row])
    writer.flush()


def draw_truth(images: int) -> SplitTruth:
    """Draw a truth with as many boxes as ILSVRC's: 1.6 an image, and at most 20."""
    rng = np.random.default_rng(1)
    counts = torch.from_numpy(np.clip(rng.geometric(1 / 1.6, images), 1, 20))
    boxes = torch.from_numpy(draw_boxes(rng, int(counts.sum())))
    ids = [f"ILSVRC2012_val_{place:08d}" for place in range(images)]
    labels = torch.from_numpy(rng.integers(0, CLASSES, images))
    blacklisted = torch.arange(images) % 28 == 0
    return SplitTruth(ids, labels, pad_boxes(boxes, counts), blacklisted)


def main(images: int) -> None:
    """Draw in a process of its own, then read and score here."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawing = get_context("spawn").Process(target=write_predictions, args=(images, folder))
        drawing.start()
        drawing.join()
        truth = draw_truth(images)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        predictions = align(Predictions(*read_parts(folder)), truth.ids)
        read = time.perf_counter()
        scored = score_predictions(Scoring(predictions, truth, "drawn", "val"), Protocol())
        class_errors(scored.verdicts, truth.labels, CLASSES)
        end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{images} images, {GUESSES} guesses, {CUTS} cuts, {len(scored.metrics)} metrics")
    print(f"read {read - start:.2f} s, score {end - read:.2f} s, together {end - start:.2f} s")
    print(f"peak memory {peak / 1024:.0f} MiB, of which before scoring {before / 1024:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
