"""The images that activate every unit most, with the unit's maps on them."""

import numpy as np
import torch
from torch import Tensor

from gapnet.dissection.thresholds import Arrays

NO_ROW = -1


class TopImages:
    """The few images with the highest maximum of every unit, in memory that does not grow.

    Of images with the same maximum, the earlier one in the split is preferred.
    """

    def __init__(self, units: int, count: int, size: tuple[int, int]) -> None:
        """Remember `count` images per unit, with maps of `size` (h, w)."""
        self.scores = torch.full((units, count), -torch.inf)
        self.rows = torch.full((units, count), NO_ROW)
        self.maps = torch.zeros(units, count, *size)

    def add(self, maps: Tensor, rows: Tensor) -> None:
        """Add the maps (B, C, h, w) of the images in rows (B,)."""
        by_unit = maps.transpose(0, 1).cpu()
        self._merge(by_unit.amax((-2, -1)), rows.expand(len(by_unit), -1), by_unit)

    def arrays(self, prefix: str) -> Arrays:
        """Return the state for a file."""
        values = {"scores": self.scores, "rows": self.rows, "maps": self.maps}
        return {f"{prefix}{name}": value.numpy() for name, value in values.items()}

    def merge(self, arrays: Arrays, prefix: str) -> None:
        """Add the state of other images."""
        names = ("scores", "rows", "maps")
        scores, rows, maps = (torch.from_numpy(np.array(arrays[prefix + name])) for name in names)
        self._merge(scores, rows, maps)

    def _merge(self, scores: Tensor, rows: Tensor, maps: Tensor) -> None:
        """Merge scores and rows (C, B), and maps (C, B, h, w)."""
        count = self.scores.shape[1]
        if not count:
            return
        better = (scores >= self.scores[:, -1:]).any(1).nonzero().flatten()
        all_scores = torch.cat([self.scores[better], scores[better]], 1)
        all_rows = torch.cat([self.rows[better], rows[better]], 1)
        by_row = all_rows.argsort(dim=1, stable=True)
        by_score = all_scores.gather(1, by_row).argsort(dim=1, descending=True, stable=True)
        order = by_row.gather(1, by_score)[:, :count]
        self.scores[better] = all_scores.gather(1, order)
        self.rows[better] = all_rows.gather(1, order)
        self.maps[better] = _chosen(self.maps[better], maps, better, order)


def _chosen(own: Tensor, new: Tensor, units: Tensor, order: Tensor) -> Tensor:
    """Return maps (U, count, h, w) in an order (U, count): `own` come first, then `new`."""
    count = own.shape[1]
    rows = torch.arange(len(units))[:, None]
    earlier = own[rows, order.clamp(max=count - 1)]
    later = new[units[:, None], (order - count).clamp(min=0)]
    return torch.where((order < count)[..., None, None], earlier, later)
