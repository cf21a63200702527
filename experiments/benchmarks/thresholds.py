"""Time the boxes at 100 thresholds per map against a loop over thresholds, as in wsolevaluation.

python experiments/benchmarks/thresholds.py
"""

from functools import partial

import cv2
import numpy as np
from drawn_maps import SIZES, blobs, noise
from numpy.typing import NDArray
from side_by_side import Row, alternate, arguments, publish

from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.ops.components import boxes_one_by_one
from gapnet.ops.labelled_components import largest_by_labels
from gapnet.ops.lazy_sweep import load_sweep

LOOP, COMPILED, OUTLINES = "threshold + findContours", "gapnet with numba", "gapnet without numba"
CUTS = np.array(ThresholdBoxer().thresholds(), np.float32)
MAPS = 5
GOALS = {COMPILED: 0.33, OUTLINES: 1.0}
LEVELS = 255
ALIKE = 0.9  # mean IoU with the loop's boxes, which are of another rule: contours in 8 bits

Heat = NDArray[np.float32]


def loop(heat: Heat) -> list[tuple[int, ...]]:
    """Box the largest contour at every threshold, as wsolevaluation does."""
    height, width = heat.shape
    image = np.expand_dims((heat * LEVELS).astype(np.uint8), 2)
    boxes = []
    for cut in CUTS:
        _, mask = cv2.threshold(image, int(cut * np.max(image)), LEVELS, cv2.THRESH_BINARY)
        contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        x, y, across, down = 0, 0, 1, 1
        if contours:
            x, y, across, down = cv2.boundingRect(max(contours, key=cv2.contourArea))
        boxes.append((x, y, min(x + across, width - 1), min(y + down, height - 1)))
    return boxes


def labels(heat: Heat) -> list[tuple[int, ...]]:
    """Box the largest component at every threshold in the simplest way."""
    masks = [(heat > cut).astype(np.uint8) for cut in CUTS]
    return [largest_by_labels(mask, connectivity=8, size="pixels") for mask in masks]


def outlines(heat: Heat) -> NDArray[np.float32]:
    """Box the largest component at every threshold without compiled code."""
    return boxes_one_by_one(heat, CUTS, connectivity=8, size="pixels")


def check(heat: Heat, ways: dict[str, object]) -> None:
    """Stop if our boxes are not exactly those of labelling, or the loop's are of something else."""
    expected = np.array(labels(heat))
    for name, boxes in ways.items():
        assert np.array_equal(boxes, expected), name
    theirs = np.array(loop(heat))
    near, far = np.maximum(expected, theirs)[:, :2], np.minimum(expected, theirs)[:, 2:]
    common = (far - near + 1).clip(0).prod(1)
    union = sum((boxes[:, 2:] - boxes[:, :2] + 1).prod(1) for boxes in (expected, theirs)) - common
    assert (common / union).mean() > ALIKE


def main() -> None:
    """Check, time and publish."""
    options = arguments(__doc__)
    compiled = load_sweep()
    own = {OUTLINES: outlines} | ({} if compiled is None else {COMPILED: partial(_apply, compiled)})
    rows = []
    for kind, draw in (("blobs", blobs), ("noise", noise)):
        for size in SIZES:
            heats = [ThresholdBoxer().heat(draw(seed), size)[0] for seed in range(MAPS)]
            for heat in heats:
                check(heat, {name: way(heat) for name, way in own.items()})
            ways = {name: partial(_all, way, heats) for name, way in ({LOOP: loop} | own).items()}
            seconds = alternate(ways, repeats=options.repeats)
            a_map = {name: time / MAPS for name, time in seconds.items()}
            what = f"100 thresholds, {size[1]}x{size[0]}, {kind}"
            rows += [Row(f"{what}, {name}", a_map, LOOP, name, GOALS[name]) for name in own]
    publish("thresholds", rows, options.to)


def _apply(compiled, heat):
    return compiled(heat, CUTS)


def _all(way, heats):
    return [way(heat) for heat in heats]


if __name__ == "__main__":
    main()
