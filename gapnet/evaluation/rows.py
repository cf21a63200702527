"""Rows of predictions: what is stored for the map of the true class."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gapnet.data.records import Record
from gapnet.errors import GapnetError
from gapnet.evaluation.pixels import pixel_histogram
from gapnet.evaluation.store import Row
from gapnet.localization.boxers.threshold import Boxer, BoxSweep
from gapnet.localization.localizer import Localizer

NO_BOX = (0.0, 0.0, -1.0, -1.0)
UNREADABLE_SIDE = 224  # pixels of a side, in place of those of an image that could not be read


class Laid(NamedTuple):
    """A map (h, w), its window (4,), and the pixels of the window (3, H, W)."""

    heat: Tensor
    window: Tensor
    picture: Tensor | None = None


def known_row(row: Row, laid: Laid, localizer: Localizer, record: Record) -> Row:
    """Return a row with the boxes and pixels of the map of the true class."""
    window, size = laid.window, torch.tensor([row.height, row.width])
    grid = localizer.grid(window)
    heats = localizer.boxer.heat(laid.heat[None], grid)
    box, scaled = localizer.boxes_of_heats(heats, window, size, laid.picture)[0, 0], heats[0]
    if record.masks:
        check_whole(row, window, "masks cover the whole image, and so must the map")
    swept = localizer.boxer.sweep(scaled, localizer.boxer.thresholds())
    return row._replace(
        known_box=box.tolist(),
        window=window.tolist(),
        grid=grid,
        swept_boxes=swept.boxes.flatten(),
        swept_cuts=swept.cuts,
        pixels=pixel_histogram(scaled, record) if record.masks else None,
    )


def check_whole(row: Row, window: Tensor, why: str) -> None:
    """Refuse a view that does not show the whole image."""
    if window.tolist() != [0.0, 0.0, row.width, row.height]:
        raise GapnetError(f"image {row.id}: is not shown whole; {why}; use view=whole")


def unreadable(record: Record, boxer: Boxer) -> Row:
    """Return the row of an image that could not be read: empty boxes, and a map of 0."""
    cuts = len(boxer.thresholds())
    empty_map = np.zeros(boxer.grid((UNREADABLE_SIDE, UNREADABLE_SIDE)), np.float32)
    swept = BoxSweep(
        np.tile(np.array(NO_BOX, np.int16), (cuts, 1)), np.arange(cuts, dtype=np.int16)
    )
    return Row(
        id=record.id,
        height=0,
        width=0,
        classes=[-1],
        scores=[0.0],
        guess_labels=[-1],
        guess_boxes=NO_BOX,
        known_box=NO_BOX,
        window=(0.0, 0.0, 1.0, 1.0),
        grid=(1, 1),
        swept_boxes=swept.boxes.flatten(),
        swept_cuts=swept.cuts,
        pixels=pixel_histogram(empty_map, record) if record.masks else None,
    )
