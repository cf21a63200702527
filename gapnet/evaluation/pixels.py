"""Pixel average precision (PxAP), for data with masks of the objects."""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gapnet.data.readers.image_sizes import FORMATS
from gapnet.data.records import Record
from gapnet.errors import reading
from gapnet.localization.boxers.threshold import Heat

BINS = 1000  # of the map's values, from 0 to 1; an additional one is for 1 itself


def pixel_histogram(heat: Heat, record: Record) -> NDArray[np.int32]:
    """Return histograms of a map (H, W) on the object's and on other pixels: (2 * bins,).

    Masks are resized to the map without interpolation; ignored pixels count in neither.
    """
    shape = (heat.shape[0], heat.shape[1])
    inside = np.zeros(shape, dtype=bool)
    for path in record.masks:
        inside |= _read_mask(path, shape)
    outside = ~inside
    if record.ignore is not None:
        outside &= ~_read_mask(record.ignore, shape)
    edges = np.append(np.arange(0, 1, 1 / BINS), [1.0, 2.0])
    counts = [np.histogram(heat[mask], bins=edges)[0] for mask in (inside, outside)]
    return np.concatenate(counts).astype(np.int32)


def average_precision(counts: Tensor) -> Tensor:
    """Sum the precision over the steps of recall, from the highest to the lowest values.

    Args:
        counts: of the object's and the other pixels by value, ascending, (B, 2, D).

    Returns:
        The area under the curve of precision and recall, (B,).

    >>> average_precision(torch.tensor([[[0.0, 1.0, 1.0], [2.0, 0.0, 0.0]]])).item()
    1.0
    """
    right, wrong = counts.flip(-1).cumsum(-1).unbind(1)
    precision = right / (right + wrong).clamp(min=1)
    recall = right / right[:, -1:].clamp(min=1)
    # The bin above 1 is empty: recall starts from 0
    steps = recall.diff(dim=1, prepend=torch.zeros_like(recall[:, :1]))
    return (precision * steps).sum(1)


def _read_mask(path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    with (
        reading(path, "cannot be read as a mask", "restore the file"),
        Image.open(path, formats=FORMATS) as image,
    ):
        values = np.asarray(image.convert("L"), dtype=np.float32)
    height, width = shape
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized) > 0.5  # noqa: PLR2004  (any grey but black)
