"""Maps of the first pass in files, so that the second one need not run the network again."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gapnet.errors import reading
from gapnet.system.files import atomic_file


@dataclass(frozen=True)
class KeptMaps:
    """Folder of maps (B, C, h, w), a file for each batch and layer; B counts readable images."""

    folder: Path
    layers: Sequence[str]

    def write(self, first: int, maps: dict[str, Tensor]) -> None:
        """Write the maps of the batch whose first image is in row `first`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for layer, path in self._paths(first).items():
            with atomic_file(path, durable=False) as unfinished, unfinished.open("wb") as file:
                np.save(file, maps[layer].cpu().numpy())

    def read(self, first: int) -> dict[str, Tensor]:
        """Read the maps of a batch."""
        maps = {}
        for layer, path in self._paths(first).items():
            with reading(path, "cannot be read", "leave out resume=true"):
                maps[layer] = torch.from_numpy(np.load(path, allow_pickle=False))
        return maps

    def delete(self) -> None:
        """Delete the files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _paths(self, first: int) -> dict[str, Path]:
        return {
            layer: self.folder / f"{first:09d}-{number:02d}.npy"
            for number, layer in enumerate(self.layers)
        }
