"""Dissection of a network on a split: both passes, and what they find."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.data.loading.datamodule import DataModule, Samples
from gapnet.data.segmented import Annotator
from gapnet.dissection.annotated_images import AnnotatedImages, collate_annotated
from gapnet.dissection.kept_maps import KeptMaps
from gapnet.dissection.passes import CountPass, CountState, ThresholdPass
from gapnet.dissection.scores import MIN_IOU
from gapnet.dissection.state_files import SAVE_EVERY, StateFile, saved_states
from gapnet.dissection.thresholds import NUMBER_BYTES, Places, ThresholdState
from gapnet.dissection.unit_sets import UnitSet, layer_maps
from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.taps import layers_of
from gapnet.system.distributed import wait_for_all
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import number, whole_number

SHARE = 0.005  # of all places of all images that lie above a unit's threshold
PROGRESS, MAPS = "progress", "maps"
FREE = 0.5  # share of the free space on the disk that maps may take
GIGA = 10**9
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dissection:
    """How units are dissected.

    Args:
        layers: names of the layers.
        share: of all places of all images, above a unit's threshold.
        min_iou: that a detector exceeds.
        rotations: number of random rotations of every layer that are also dissected.
        top: number of images to show for every unit.
        side: of the squares that segmentations are resized to; None leaves their size.
        memory_gb: for exact thresholds; if they need more, a random sample of places is used.
        keep_gb: of maps on the disk; if they need more, the network runs twice.
        save_every: seconds between two saves of the state.
    """

    layers: tuple[str, ...]
    share: float = SHARE
    min_iou: float = MIN_IOU
    rotations: int = 0
    top: int = 5
    side: int | None = None
    memory_gb: float = 2.0
    keep_gb: float = 8.0
    save_every: float = field(default=SAVE_EVERY, compare=False)

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.layers:
            raise GapnetError("layers=[]: name at least one layer, such as trunk")
        twice = [name for name in self.layers if self.layers.count(name) > 1]
        if twice:
            raise GapnetError(f"layers={twice[0]}: is listed twice; name it once")
        number("share", self.share, above=0, below=1)
        number("min_iou", self.min_iou, least=0, below=1)
        whole_number("rotations", self.rotations)
        whole_number("images", self.top)
        whole_number("side", self.side, least=1, optional=True)
        number("memory_gb", self.memory_gb, above=0)
        number("keep_gb", self.keep_gb, least=0)


@dataclass(frozen=True)
class Found:
    """Outcome of a dissection.

    Args:
        sets: the units.
        places: of the maps that the thresholds come from, by set.
        thresholds: of the units, (C,), by set.
        images: number of images.
        state: counts and top images.
    """

    sets: list[UnitSet]
    places: Mapping[str, Places]
    thresholds: Mapping[str, Tensor]
    images: int
    state: CountState


class Dissector:
    """Dissection of a network on a split, which continues from files if there are any."""

    def __init__(
        self,
        network: GapNet,
        data: DataModule,
        split: str,
        settings: Dissection,
        *,
        annotator: Annotator,
        folder: Path,
        identity: str,
    ) -> None:
        """Write files into a folder; `identity` says of which network and data they are."""
        self.network, self.data, self.split, self.settings = network, data, split, settings
        self.annotator, self.folder, self.identity = annotator, folder, identity
        self.ids = data.records(split).ids
        self.shapes = _shapes(network, settings.layers)
        self.sets = _unit_sets(self.shapes, settings.rotations)
        self.places = {units.name: self._places(units) for units in self.sets}

    def run(self, make_trainer: Callable[[], pl.Trainer]) -> Found:
        """Run both passes; every rank returns the outcome of all."""
        kept = self._kept()
        wait_for_all()  # no rank may write before the others have looked
        thresholds, first = self._thresholds(make_trainer, kept)
        state = self._count(make_trainer, kept, thresholds, set(first.unreadable))
        return Found(self.sets, self.places, thresholds, first.images, state)

    def clean(self) -> None:
        """Delete the files that a dissection continues from, and the maps."""
        shutil.rmtree(self.folder / PROGRESS, ignore_errors=True)
        KeptMaps(self.folder / MAPS, self.settings.layers).delete()

    def _places(self, units: UnitSet) -> Places:
        channels, height, width = self.shapes[units.layer]
        memory = self.settings.memory_gb * GIGA / len(self.sets)
        return Places.plan(
            height * width, channels, len(self.ids), share=self.settings.share, memory=memory
        )

    def _kept(self) -> KeptMaps | None:
        """Return where maps are kept; None if they take too much room."""
        folder = self.folder / MAPS
        begun = (self.folder / PROGRESS).is_dir()
        size = NUMBER_BYTES * len(self.ids) * sum(map(_product, self.shapes.values()))
        room = min(self.settings.keep_gb * GIGA, FREE * shutil.disk_usage(self.folder).free)
        keeps = folder.is_dir() if begun else size <= room
        if keeps and is_first():
            folder.mkdir(exist_ok=True)
        return KeptMaps(folder, self.settings.layers) if keeps else None

    def _thresholds(
        self, make_trainer: Callable[[], pl.Trainer], kept: KeptMaps | None
    ) -> tuple[dict[str, Tensor], ThresholdState]:
        """Return the thresholds by set, and the state that they come from."""
        state, done = self._first_state()
        self._log_work("thresholds", done)
        if len(done) < len(self.ids):
            rows = {identity: row for row, identity in enumerate(self.ids)}
            first = ThresholdPass(
                self.network,
                self.sets,
                self._file("thresholds"),
                kept=kept,
                places=self.places,
                rows=rows,
            )
            make_trainer().predict(
                first, self.data.loader(self.split, done=done), return_predictions=False
            )
            wait_for_all()
            state, _ = self._first_state()
        if not state.images:
            raise GapnetError("data: no image could be read; restore the images")
        return state.thresholds(self.settings.share), state

    def _first_state(self) -> tuple[ThresholdState, set[str]]:
        """Return the largest values so far, and the images that they come from."""
        state, done = ThresholdState(self.places), set[str]()
        for rows, arrays in saved_states(self.folder / PROGRESS, "thresholds", self.identity):
            state.merge(arrays)
            done |= {self.ids[row] for row in rows}
        return state, done

    def _count(
        self,
        make_trainer: Callable[[], pl.Trainer],
        kept: KeptMaps | None,
        thresholds: Mapping[str, Tensor],
        unreadable: set[int],
    ) -> CountState:
        """Return the counts of all images."""
        state, done = self._counted(thresholds)
        self._log_work("counting concepts", done)
        if len(done) < len(self.ids):
            second = CountPass(
                self.network,
                self.sets,
                self._file("counts"),
                kept=kept,
                state=self._new_state(thresholds),
                unreadable=unreadable,
            )
            samples = AnnotatedImages(
                self.data.images(self.split),
                self.annotator,
                side=self.settings.side,
                with_images=kept is None,
            )
            loader = self.data.loader(
                self.split, done=done, samples=Samples(samples, collate_annotated)
            )
            make_trainer().predict(second, loader, return_predictions=False)
            wait_for_all()
            state, _ = self._counted(thresholds)
        return state

    def _counted(self, thresholds: Mapping[str, Tensor]) -> tuple[CountState, set[str]]:
        """Return the counts so far, and the images that they come from."""
        state, done = self._new_state(thresholds), set[str]()
        for rows, arrays in saved_states(self.folder / PROGRESS, "counts", self.identity):
            state.merge(arrays)
            done |= {self.ids[row] for row in rows}
        return state, done

    def _new_state(self, thresholds: Mapping[str, Tensor]) -> CountState:
        sizes = {units.name: self.shapes[units.layer][1:] for units in self.sets}
        top = self.settings.top
        return CountState(thresholds, self.annotator.concepts, top=top, sizes=sizes)

    def _file(self, stage: str) -> StateFile:
        every = self.settings.save_every
        return StateFile(self.folder / PROGRESS, stage, self.identity, every=every)

    def _log_work(self, stage: str, done: set[str]) -> None:
        left = len(self.ids) - len(done)
        log.info("%s of %s: %d images%s", stage, self.split, left, " that are missing" * bool(done))


def _shapes(network: GapNet, layers: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return the shapes (C, h, w) of layers' outputs, from one pass over an empty image."""
    layers_of(network, layers)
    blank = torch.zeros(1, network.channels, *network.facts.input_size).to(network.mean)
    with torch.inference_mode():
        maps = layer_maps(network, blank, layers)
    return {name: (value.shape[1], value.shape[2], value.shape[3]) for name, value in maps.items()}


def _unit_sets(shapes: Mapping[str, tuple[int, int, int]], rotations: int) -> list[UnitSet]:
    numbers = [None, *range(1, rotations + 1)]
    return [UnitSet(layer, shapes[layer][0], number) for layer in shapes for number in numbers]


def _product(shape: Sequence[int]) -> int:
    return int(np.prod(shape))
