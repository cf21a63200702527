"""The two passes over a split: thresholds of the units, then the pixels that units cover.

Thresholds depend on all images, so masks cannot be counted before the end of the first pass. The
second one reads the maps that the first one kept, or else runs the network again.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.data.sample import Batch
from gapnet.data.segmented import Concept
from gapnet.dissection.annotated_images import AnnotatedBatch, check_whole, readable_of
from gapnet.dissection.kept_maps import KeptMaps
from gapnet.dissection.state_files import StateFile
from gapnet.dissection.tally import ConceptCounts, Tally
from gapnet.dissection.thresholds import Arrays, Places, ThresholdState
from gapnet.dissection.top_images import TopImages
from gapnet.dissection.unit_sets import UnitSet, check_finite, layer_maps
from gapnet.models.gapnet import GapNet


class Pass(pl.LightningModule):
    """Lightning module that runs a network's layers and saves what it counts."""

    def __init__(
        self, network: GapNet, sets: Sequence[UnitSet], file: StateFile, *, kept: KeptMaps | None
    ) -> None:
        """Run the layers of `sets`; save the state to a file, and maps if they are kept."""
        super().__init__()
        self.network, self.sets, self.file, self.kept = network, list(sets), file, kept
        self.layers = list(dict.fromkeys(units.layer for units in sets))
        # There may be more ranks than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def arrays(self) -> Arrays:
        """Return the state for a file."""
        raise NotImplementedError

    def on_predict_start(self) -> None:
        """Name the file of the state after the rank."""
        self.file.name_after(self.global_rank)

    def on_predict_epoch_end(self) -> None:
        """Save the state."""
        self.file.save(self.arrays())

    def layer_maps(self, batch: Batch) -> dict[str, Tensor]:
        """Return the maps of the readable images of a batch by layer."""
        readable = readable_of(batch)
        check_whole(batch, readable)
        maps = layer_maps(self.network, self.network.normalise(batch.images), self.layers)
        maps = {name: values[readable] for name, values in maps.items()}
        check_finite(maps, [batch.ids[index] for index in readable])
        return maps


class ThresholdPass(Pass):
    """First pass: the largest values of every unit."""

    def __init__(
        self,
        network: GapNet,
        sets: Sequence[UnitSet],
        file: StateFile,
        *,
        kept: KeptMaps | None,
        places: Mapping[str, Places],
        rows: Mapping[str, int],
    ) -> None:
        """Use some places of every set of units; `rows` of the images in the split, by id."""
        super().__init__(network, sets, file, kept=kept)
        self.state, self.row_of = ThresholdState(places), rows
        self.stage_names = ["thresholds"]

    def arrays(self) -> Arrays:
        """Return the largest values."""
        return self.state.arrays()

    def predict_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Collect the largest values of a batch, and keep its maps."""
        rows = [self.row_of[identity] for identity in batch.ids]
        maps, readable = self.layer_maps(batch), readable_of(batch)
        if self.kept is not None:
            self.kept.write(rows[0], maps)
        by_set = {units.name: units.maps(maps[units.layer]) for units in self.sets}
        self.state.add(by_set, [rows[index] for index in readable])
        self.state.unreadable += [row for i, row in enumerate(rows) if i not in readable]
        self.file.add(rows, self.arrays)


class CountPass(Pass):
    """Second pass: the pixels of masks and concepts, and the top images of every unit."""

    def __init__(
        self,
        network: GapNet,
        sets: Sequence[UnitSet],
        file: StateFile,
        *,
        kept: KeptMaps | None,
        state: "CountState",
        unreadable: set[int],
    ) -> None:
        """Count into a state; `unreadable` are rows of images that have no kept maps."""
        super().__init__(network, sets, file, kept=kept)
        self.state, self.unreadable = state, unreadable
        self.stage_names = ["counting concepts"]

    def arrays(self) -> Arrays:
        """Return the counts and the top images."""
        return self.state.arrays()

    def predict_step(self, batch: AnnotatedBatch, batch_idx: int) -> None:  # noqa: ARG002
        """Count the pixels of a batch."""
        if batch.batch is not None:
            maps, readable = self.layer_maps(batch.batch), readable_of(batch.batch)
        else:
            assert self.kept is not None
            maps = self.kept.read(batch.rows[0])
            readable = [i for i, row in enumerate(batch.rows) if row not in self.unreadable]
        by_set = {units.name: units.maps(maps[units.layer]) for units in self.sets}
        self.state.add(by_set, batch, readable)
        self.file.add(batch.rows, self.arrays)


class CountState:
    """Counts of all sets of units on the images of one process, or on those of all."""

    def __init__(
        self,
        thresholds: Mapping[str, Tensor],
        concepts: Sequence[Concept],
        *,
        top: int,
        sizes: Mapping[str, tuple[int, int]],
    ) -> None:
        """Begin without images.

        Args:
            thresholds: of the units, (C,), by the name of their set.
            concepts: by index.
            top: number of images to remember for every unit.
            sizes: (h, w) of the maps, by the name of the set.
        """
        self.concepts = ConceptCounts(concepts)
        categories = len(self.concepts.categories)
        self.tallies = {
            name: Tally(values, len(concepts), categories) for name, values in thresholds.items()
        }
        self.top = {
            name: TopImages(len(values), top, sizes[name]) for name, values in thresholds.items()
        }

    def add(self, maps: Mapping[str, Tensor], batch: AnnotatedBatch, readable: list[int]) -> None:
        """Count the maps (B, C, h, w) of the readable images of a batch by set."""
        annotations = [batch.annotations[index] for index in readable]
        present = [self.concepts.add(annotation) for annotation in annotations]
        rows = torch.tensor([batch.rows[index] for index in readable])
        for name, values in maps.items():
            for own, annotation, categories in zip(values, annotations, present, strict=True):
                self.tallies[name].add(own, annotation, categories)
            if readable:
                self.top[name].add(values, rows)

    def arrays(self) -> Arrays:
        """Return the state for a file."""
        arrays = self.concepts.arrays()
        for index, name in enumerate(self.tallies):
            arrays |= self.tallies[name].finish().arrays(f"{index}.")
            arrays |= self.top[name].arrays(f"{index}.")
        return {name: np.asarray(values) for name, values in arrays.items()}

    def merge(self, arrays: Arrays) -> None:
        """Add the state of other images."""
        self.concepts.merge(arrays)
        for index, name in enumerate(self.tallies):
            self.tallies[name].finish().merge(arrays, f"{index}.")
            self.top[name].merge(arrays, f"{index}.")
