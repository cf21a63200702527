"""Time one box per map, by the paper's rule, against OpenCV's labelling of components.

python experiments/benchmarks/box.py
"""

import cv2
import numpy as np
from drawn_maps import SIZES, blobs, noise
from numpy.typing import NDArray
from side_by_side import OURS, Row, alternate, arguments, publish
from torch import Tensor

from gapnet.localization.boxers.threshold import CUT, ThresholdBoxer

OPENCV = "cv2.resize + connectedComponentsWithStats"
MAPS = 10
NUMBER = 5  # times that a turn boxes all maps
GOAL = 0.25
NEAR = 1  # pixels; OpenCV rounds in another way when it resizes


def ours(maps: Tensor, size: tuple[int, int]) -> list[int]:
    """Box a map (1, h, w) resized to `size`."""
    box: list[int] = ThresholdBoxer().boxes_of_maps(maps, size)[0, 0].tolist()
    return box


def opencv(heat: NDArray[np.float32], size: tuple[int, int]) -> list[int]:
    """Box a map (h, w) resized to `size`, as most programs do."""
    resized = np.asarray(cv2.resize(heat, (size[1], size[0])))
    mask = (resized > CUT * resized.max()).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    x, y, width, height, _ = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()].tolist()
    return [x, y, x + width - 1, y + height - 1]


def check(maps: list[Tensor], size: tuple[int, int]) -> None:
    """Stop if the boxes differ."""
    for drawn in maps:
        box, other = ours(drawn, size), opencv(drawn[0].numpy(), size)
        assert np.abs(np.subtract(box, other)).max() <= NEAR, (box, other)


def main() -> None:
    """Check, time and publish."""
    options = arguments(__doc__)
    rows = []
    for kind, draw in (("blobs", blobs), ("noise", noise)):
        for size in SIZES:
            maps = [draw(seed) for seed in range(MAPS)]
            check(maps, size)
            ways = {
                OURS: lambda maps=maps, size=size: [ours(drawn, size) for drawn in maps],
                OPENCV: lambda maps=maps, size=size: [opencv(m[0].numpy(), size) for m in maps],
            }
            seconds = alternate(ways, repeats=options.repeats, number=NUMBER)
            a_map = {name: time / MAPS for name, time in seconds.items()}
            what = f"one box, 14x14 to {size[1]}x{size[0]}, {kind}"
            rows.append(Row(what, a_map, OPENCV, goal=GOAL))
    publish("box", rows, options.to)


if __name__ == "__main__":
    main()
