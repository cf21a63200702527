"""The ten crops of an image, and the merging of their maps and scores.

Sizes are (height, width). A window is (top, left, mirrored): the crop is
image[top : top + h, left : left + w], its columns then reversed where mirrored is true; top and
left always count in the image as it is, not in its mirror image.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Size = tuple[int, int]
Window = tuple[int, int, bool]
Order = Literal["torchvision", "pairs"]
Way = Literal["released", "coverage"]


def crop_windows(size: Size, crop: Size, order: Order = "torchvision") -> list[Window]:
    """List the four corners and the centre, then five mirrored windows.

    The first five are top-left, top-right, bottom-left, bottom-right and centre; the centre's
    offset is half the slack, rounded to the nearest whole number, halves to the even one.

    Args:
        size: of the image.
        crop: of a crop, no larger than the image.
        order: of the last five. "torchvision" takes the same five windows of the mirror image, as
            ten_crop does: the sixth crop mirrors the top-right window, the seventh the top-left
            one; where the slack in width is odd, the tenth lies one column beside the fifth.
            "pairs" mirrors the first five in their own order.
    """
    down, across = size[0] - crop[0], size[1] - crop[1]
    centre = (round(down / 2), round(across / 2))
    places = [(0, 0), (0, across), (down, 0), (down, across), centre]
    plain = [(top, left, False) for top, left in places]
    if order == "pairs":
        return plain + [(top, left, True) for top, left in places]
    return plain + [(top, across - left, True) for top, left in places]


def bilinear(cam: npt.ArrayLike, size: Size) -> Array:
    """Interpolate between the cells' centres; beyond the outer centres the edge's value holds.

    Each output value is a mean of all cells, whose weights are tents, 1 at the cell's own centre
    and 0 at its neighbours'. Nothing is smoothed beforehand where the result is smaller.

    Args:
        cam: (h, w).
        size: (H, W) of the result.
    """
    cells = np.asarray(cam, np.float64)
    return _tents(cells.shape[0], size[0]) @ cells @ _tents(cells.shape[1], size[1]).T


def _tents(cells: int, pixels: int) -> Array:
    """Give the share, (pixels, cells), of each cell in each pixel along one axis."""
    centres = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    held = np.clip(centres, 0.0, cells - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(held[:, np.newaxis] - np.arange(cells)))


def merge(
    maps: npt.ArrayLike,
    size: Size,
    crop: Size,
    way: Way,
    windows: Sequence[Window] | None = None,
) -> Array:
    """Enlarge each crop's map to the crop, turn mirrored ones back, and lay them on the image.

    Args:
        maps: (10, h, w), signed.
        size: of the image.
        crop: of a crop.
        way: "released" sums the absolute values of the enlarged maps, taken crop by crop, however
            many crops cover a pixel; "coverage" is the mean of the signed values over those crops
            that cover the pixel. A pixel that no crop covers is 0 in both.
        windows: one for each map; those of crop_windows where None.
    """
    placed = crop_windows(size, crop) if windows is None else windows
    total, cover = np.zeros(size), np.zeros(size)
    for cam, (top, left, mirrored) in zip(np.asarray(maps, np.float64), placed, strict=True):
        values = bilinear(cam, crop)
        if mirrored:
            values = values[:, ::-1]
        part = (slice(top, top + crop[0]), slice(left, left + crop[1]))
        total[part] += np.abs(values) if way == "released" else values
        cover[part] += 1
    return total if way == "released" else total / np.maximum(cover, 1)


def mean_softmax(logits: npt.ArrayLike) -> Array:
    """Turn each crop's scores into probabilities, then average these over the crops.

    Args:
        logits: (10, N).

    Returns:
        (N,), which sums to 1.
    """
    scores = np.asarray(logits, np.float64)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    mean: Array = (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)
    return mean
