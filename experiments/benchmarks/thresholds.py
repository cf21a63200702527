"""Time the boxes at 100 thresholds per map against a loop over thresholds, as in wsolevaluation.

python experiments/benchmarks/thresholds.py

The loop compares areas of contours in 8 bits, we compare numbers of pixels: the two have different
boxes. Ours are checked against labelling the pixels at every threshold.
"""

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np
from drawn_maps import SIZES, blobs, noise
from numpy.typing import NDArray
from side_by_side import Row, alternate, options_of, parser_of, publish

from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.ops.components import boxes_one_by_one
from gapnet.ops.labelled_components import Box, largest_by_labels
from gapnet.ops.lazy_sweep import load_sweep

LOOP, COMPILED, OUTLINES = "threshold + findContours", "gapnet with numba", "gapnet without numba"
CUTS = np.array(ThresholdBoxer().thresholds(), np.float32)
MAPS = 5
GOALS = {COMPILED: 0.33, OUTLINES: 1.0}
LEVELS = 255

Heat = NDArray[np.float32]
Way = Callable[[Heat], object]


def loop(heat: Heat) -> list[tuple[float, ...]]:
    """Box the largest contour at every threshold, as wsolevaluation does."""
    height, width = heat.shape
    image = np.expand_dims((heat * LEVELS).astype(np.uint8), 2)
    boxes: list[tuple[float, ...]] = []
    for cut in CUTS:
        _, mask = cv2.threshold(image, int(cut * np.max(image)), LEVELS, cv2.THRESH_BINARY)
        contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        x, y, across, down = 0, 0, 1, 1
        if contours:
            x, y, across, down = cv2.boundingRect(max(contours, key=cv2.contourArea))
        boxes.append((x, y, min(x + across, width - 1), min(y + down, height - 1)))
    return boxes


def labels(heat: Heat) -> list[Box]:
    """Box the largest component at every threshold in the simplest way."""
    masks = [(heat > cut).astype(np.uint8) for cut in CUTS]  # the highest value, 1, is above all
    return [largest_by_labels(mask, connectivity=8, size="pixels") for mask in masks]


def outlines(heat: Heat) -> NDArray[np.float32]:
    """Box the largest component at every threshold without compiled code."""
    return boxes_one_by_one(heat, CUTS, connectivity=8, size="pixels")


def check(heat: Heat, own: Mapping[str, Way]) -> None:
    """Stop if our boxes are not exactly those of labelling."""
    expected = np.array(labels(heat))
    for name, way in own.items():
        assert np.array_equal(np.asarray(way(heat)), expected), name


def main() -> None:
    """Check, time and publish."""
    options = options_of(parser_of(__doc__))
    compiled = load_sweep()
    own: dict[str, Way] = {OUTLINES: outlines}
    if compiled is not None:
        own[COMPILED] = lambda heat: compiled(heat, CUTS)
    rows = []
    for kind, draw in (("blobs", blobs), ("noise", noise)):
        for size in SIZES:
            heats = [ThresholdBoxer().heat(draw(seed), size)[0] for seed in range(MAPS)]
            for heat in heats:
                check(heat, own)
            ways = {name: partial(_all, way, heats) for name, way in ({LOOP: loop} | own).items()}
            seconds = alternate(ways, repeats=options.repeats)
            a_map = {name: time / MAPS for name, time in seconds.items()}
            what = f"100 thresholds, {size[1]}x{size[0]}, {kind}"
            rows += [Row(f"{what}, {name}", a_map, LOOP, name, GOALS[name]) for name in own]
    publish("thresholds", rows, options.to)


def _all(way: Way, heats: list[Heat]) -> list[object]:
    return [way(heat) for heat in heats]


if __name__ == "__main__":
    main()
