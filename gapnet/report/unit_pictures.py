"""Pictures of units: their top images, dimmed outside of the unit's mask."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gapnet.data.file_names import file_name
from gapnet.data.loading.images import Images
from gapnet.dissection.top_images import TopImages
from gapnet.ops.maps import upsample
from gapnet.system.progress import track

SIDE = 112  # pixels of the longer side of a picture
GAP = 2  # pixels between two pictures
DIMMED = 0.35  # brightness outside of the mask
QUALITY = 80


class Slot(NamedTuple):
    """Place of a picture: that of a unit of a layer, and its number among the unit's pictures."""

    layer: str
    unit: int
    number: int


def picture_name(layer: str, unit: int) -> str:
    """Return the path of a unit's pictures in the folder of pictures."""
    return f"{file_name(layer)}/unit-{unit:04d}.jpg"


def draw_units(
    top: Mapping[str, TopImages], thresholds: Mapping[str, Tensor], images: Images, folder: Path
) -> None:
    """Write one file for each unit with its top images side by side.

    Args:
        top: images by layer.
        thresholds: of the units, (C,), by layer.
        images: of the split.
        folder: to write into.
    """
    slots: dict[int, list[Slot]] = {}
    for layer, units in top.items():
        for unit, number in (units.rows >= 0).nonzero().tolist():
            slots.setdefault(int(units.rows[unit, number]), []).append(Slot(layer, unit, number))
    strips: dict[tuple[str, int], dict[int, NDArray[np.uint8]]] = {}
    missing = {layer: (units.rows >= 0).sum(1).tolist() for layer, units in top.items()}
    for row in track(sorted(slots), "pictures of units", total=len(slots)):
        picture = _thumbnail(images[row].image)
        for slot in slots[row]:
            heat = top[slot.layer].maps[slot.unit, slot.number]
            shown = _masked(picture, heat, float(thresholds[slot.layer][slot.unit]))
            strip = strips.setdefault((slot.layer, slot.unit), {})
            strip[slot.number] = shown
            if len(strip) == missing[slot.layer][slot.unit]:
                _save(strips.pop((slot.layer, slot.unit)), folder, slot)


def _thumbnail(image: Tensor) -> NDArray[np.uint8]:
    """Return a small picture (h, w, 3) of bytes (3, H, W)."""
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    picture.thumbnail((SIDE, SIDE))
    return np.asarray(picture)


def _masked(picture: NDArray[np.uint8], heat: Tensor, threshold: float) -> NDArray[np.uint8]:
    """Return a picture that is dimmed where a map (h, w) does not exceed the threshold."""
    size = (picture.shape[0], picture.shape[1])
    mask = torch.as_tensor(upsample(heat[None], size)[0] > threshold).numpy()
    brightness = np.where(mask, np.float32(1), np.float32(DIMMED))[..., None]
    return np.asarray((picture * brightness).round(), np.uint8)


def _save(strip: dict[int, NDArray[np.uint8]], folder: Path, slot: Slot) -> None:
    """Write the pictures of a unit side by side; they can be drawn again, so need no fsync."""
    path = folder / picture_name(slot.layer, slot.unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, _ = strip[0].shape
    canvas = np.full((height, len(strip) * (width + GAP) - GAP, 3), 255, np.uint8)
    for number, picture in strip.items():
        left = number * (width + GAP)
        canvas[:, left : left + width] = picture
    Image.fromarray(canvas).save(path, quality=QUALITY)
