"""Time one box per map, by the paper's rule, against OpenCV's labelling of components.

python experiments/benchmarks/box.py
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import cv2
import numpy as np
import torch
from drawn_maps import SIZES, blobs, noise
from numpy.typing import NDArray
from side_by_side import OURS, Row, alternate, options_of, parser_of, publish
from torch import Tensor

from gapnet.localization.boxers.threshold import CUT, ThresholdBoxer

OPENCV = "cv2.resize + connectedComponentsWithStats"
CLASSES = 5  # maps of an image
NUMBER = 10  # times that a turn boxes all maps
GOAL = 0.25
NEAR = 1  # pixels; OpenCV rounds in another way when it resizes


def ours(maps: Tensor, size: tuple[int, int]) -> list[list[int]]:
    """Box maps (K, h, w) resized to `size`."""
    boxes: list[list[int]] = ThresholdBoxer().boxes_of_maps(maps, size)[:, 0].tolist()
    return boxes


def opencv(heat: NDArray[np.float32], size: tuple[int, int]) -> list[int]:
    """Box a map (h, w) resized to `size`, as most programs do."""
    resized = np.asarray(cv2.resize(heat, (size[1], size[0])))
    mask = (resized > CUT * resized.max()).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    x, y, width, height, _ = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()].tolist()
    return [x, y, x + width - 1, y + height - 1]


def each(maps: Tensor, size: tuple[int, int]) -> list[list[int]]:
    """Box maps (K, h, w) one after the other, as most programs do."""
    return [opencv(heat, size) for heat in maps.numpy()]


def check(maps: Tensor, size: tuple[int, int]) -> None:
    """Stop if the boxes differ."""
    distance = np.abs(np.subtract(ours(maps, size), each(maps, size)))
    assert distance.max() <= NEAR, distance


def main() -> None:
    """Check, time and publish."""
    options = options_of(parser_of(__doc__))
    rows = []
    for kind, draw in (("blobs", blobs), ("noise", noise)):
        maps = torch.cat([draw(seed) for seed in range(CLASSES)])
        for size, count in product(SIZES, (1, CLASSES)):
            check(maps, size)
            images = (
                [maps]
                if count == CLASSES
                else [maps[index : index + 1] for index in range(CLASSES)]
            )
            ways = {
                OURS: partial(_all, ours, images, size),
                OPENCV: partial(_all, each, images, size),
            }
            seconds = alternate(ways, repeats=options.repeats, number=NUMBER)
            a_map = {name: time / CLASSES for name, time in seconds.items()}
            what = f"one box, 14x14 to {size[1]}x{size[0]}, {kind}, {count} a call"
            rows.append(Row(what, a_map, OPENCV, goal=GOAL))
    publish("box", rows, options.to)


def _all(
    way: Callable[[Tensor, tuple[int, int]], object], images: list[Tensor], size: tuple[int, int]
) -> list[object]:
    return [way(maps, size) for maps in images]


if __name__ == "__main__":
    main()
