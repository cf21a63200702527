"""Predict: run a network over splits and write one row per image, keeping no map."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gapnet.data.file_names import file_name
from gapnet.data.index import cores
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.sample import Batch
from gapnet.errors import GapnetError
from gapnet.evaluation.pixels import pixel_histogram
from gapnet.evaluation.store import Row, Writer
from gapnet.localization.boxers.threshold import Boxer, BoxSweep
from gapnet.localization.guesses import MOST
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.system.files import atomic_file

NO_BOX = (0.0, 0.0, -1.0, -1.0)
CPU = torch.device("cpu")
COLD_SIDE = 224  # pixels that stand for those of an image that could not be read


@dataclass(frozen=True)
class KeptMaps:
    """Say where maps of the true classes are kept, in half precision.

    Args:
        folder: has a file ID.npy for each image, with the name that `file_name` gives.
        side: of the square that they are resized to; None keeps them as they are.
    """

    folder: Path
    side: int | None

    def keep(self, identity: str, heat: Tensor) -> None:
        """Write one map (h, w)."""
        if self.side is not None:
            square = (self.side, self.side)
            heat = interpolate(heat[None, None], size=square, mode="bilinear")[0, 0]
        path = self.folder / f"{file_name(identity)}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = BytesIO()  # numpy's own error of writing a file does not say why it failed
        np.save(content, heat.half().numpy())
        with atomic_file(path, durable=False) as unfinished:
            unfinished.write_bytes(content.getbuffer())


@dataclass(frozen=True)
class SplitToPredict:
    """A split that is predicted: its records, where its rows go, and where its maps are kept."""

    records: Records
    writer: Writer
    kept: KeptMaps | None = None


class Passed(NamedTuple):
    """Hold a batch and what became of it: classes and scores (B, R), maps (B, K + 1, h, w).

    The last map is that of the true class. All of it is on the CPU, where threads share it.
    """

    ranked: Tensor
    scores: Tensor
    maps: Tensor
    batch: Batch


class Laid(NamedTuple):
    """Hold a map (h, w), the window (4,) that it lies over, and what was shown there (3, H, W)."""

    heat: Tensor
    window: Tensor
    picture: Tensor | None = None


class Predictor(pl.LightningModule):
    """Be what a Trainer predicts with: rows go to the writers, nothing is returned."""

    def __init__(self, network: GapNet, localizer: Localizer, jobs: list[SplitToPredict]) -> None:
        """Predict with `network`, as `localizer` says; each job has a loader of its own."""
        super().__init__()
        self.network = network
        self.localizer = localizer
        self.jobs = jobs
        # There may be more processes than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def on_predict_start(self) -> None:
        """Name the parts after the process, and have OpenCV leave the threads to the images."""
        for job in self.jobs:
            job.writer.rank = self.global_rank
        self.opencv_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def on_predict_end(self) -> None:
        """Give OpenCV its threads back."""
        cv2.setNumThreads(self.opencv_threads)

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Write the rows of a batch."""
        looked = self.localizer.look(self.network, self.network.normalise(batch.images))
        ranked = looked.logits.topk(min(MOST, looked.logits.shape[1])).indices
        scores = looked.logits.float().softmax(1).gather(1, ranked)
        true = batch.labels[:, None].clamp(min=0)
        classes = torch.cat([ranked[:, : self.localizer.guesses.classes], true], 1)
        maps = self.localizer.maps(self.network, looked, classes, batch.ids)
        passed = Passed(ranked.cpu(), scores.cpu(), maps, batch.to(CPU))
        row = partial(self._row, self.jobs[dataloader_idx], passed)
        with ThreadPoolExecutor(cores()) as threads:  # OpenCV works while others do
            self.jobs[dataloader_idx].writer.add(list(threads.map(row, range(len(batch.ids)))))

    def on_predict_epoch_end(self) -> None:
        """Write the last rows."""
        for job in self.jobs:
            job.writer.flush()

    def _row(self, job: SplitToPredict, passed: "Passed", place: int) -> Row:
        """Box the maps of one image of a batch."""
        batch, one = passed.batch, slice(place, place + 1)
        identity, (height, width) = batch.ids[place], batch.sizes[place].tolist()
        if batch.corrupt[place] is not None:
            return unreadable(job.records.of_id(identity), self.localizer.boxer)
        maps, ranked = passed.maps[one], passed.ranked[one]
        boxes = self.localizer.boxes(
            maps[:, :-1], batch.windows[one], batch.sizes[one], batch.images[one]
        )
        labels, guesses = self.localizer.guesses(ranked[:, : boxes.shape[1]], boxes)
        row = Row(
            id=identity,
            height=height,
            width=width,
            classes=ranked[0].tolist(),
            scores=passed.scores[place].tolist(),
            guess_labels=labels[0].tolist(),
            guess_boxes=guesses.flatten().tolist(),
        )
        return self._with_truth(row, batch, place, maps[0, -1], job)

    def _with_truth(
        self, row: Row, batch: Batch, place: int, heat: Tensor, job: SplitToPredict
    ) -> Row:
        """Add what is known of the true class's map (h, w)."""
        if batch.labels[place] == UNKNOWN:
            return row
        if job.kept is not None:
            check_whole(row, batch.windows[place], "maps are kept for whole images only")
            job.kept.keep(row.id, heat)
        record = job.records.of_id(row.id)
        if record.boxes is None and not record.masks:
            return row
        seen = Laid(heat, batch.windows[place], batch.images[place])
        return known_row(row, seen, self.localizer, record)


def known_row(row: Row, laid: Laid, localizer: Localizer, record: Record) -> Row:
    """Add to a row what the map of the true class says."""
    window, size = laid.window, torch.tensor([row.height, row.width])
    grid = localizer.grid(window)
    warm = localizer.boxer.heat(laid.heat[None], grid)[0]
    box = localizer.box(warm, window, size, laid.picture)[0]
    if record.masks:
        check_whole(row, window, "masks cover the whole image, and so must the map")
    swept = localizer.boxer.sweep(warm, localizer.boxer.thresholds())
    return row._replace(
        known_box=box.tolist(),
        window=window.tolist(),
        grid=grid,
        swept_boxes=swept.boxes.flatten(),
        swept_cuts=swept.cuts,
        pixels=pixel_histogram(warm, record) if record.masks else None,
    )


def check_whole(row: Row, window: Tensor, why: str) -> None:
    """Refuse a view that does not show the whole image."""
    if window.tolist() != [0.0, 0.0, row.width, row.height]:
        raise GapnetError(f"image {row.id}: is not shown whole; {why}: view=whole")


def unreadable(record: Record, boxer: Boxer) -> Row:
    """Write down that an image could not be read: its boxes are of nothing, its pixels cold."""
    cuts = len(boxer.thresholds())
    cold = np.zeros(boxer.grid((COLD_SIDE, COLD_SIDE)), np.float32)
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
        pixels=pixel_histogram(cold, record) if record.masks else None,
    )


def digest_of_weights(network: nn.Module) -> str:
    """Digest all weights."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def digest_of_data(records: Records) -> str:
    """Digest what predictions depend on: images, labels, masks, and who has boxes at all."""
    digest, table = hashlib.sha256(), records.table
    boxed = table["boxes"].is_valid()
    for column in (table["id"], table["label"], table["masks"], boxed):
        digest.update(json.dumps(column.to_pylist()).encode())
    return digest.hexdigest()[:16]
