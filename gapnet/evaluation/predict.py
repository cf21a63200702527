"""Runs a network over splits, and writes one row of predictions per image."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
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
from gapnet.data.records import Records
from gapnet.data.sample import Batch
from gapnet.evaluation.rows import Laid, check_whole, known_row, unreadable
from gapnet.evaluation.store import Row, Writer
from gapnet.localization.guesses import MOST
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.system.files import atomic_file

CPU = torch.device("cpu")


@dataclass(frozen=True)
class SavedMaps:
    """Where maps of the true classes are saved, in half precision.

    Args:
        folder: of one file ID.npy per image, named by `file_name`.
        side: of the square that they are resized to; None does not resize them.
    """

    folder: Path
    side: int | None

    def save(self, identity: str, heat: Tensor) -> None:
        """Write one map (h, w)."""
        if self.side is not None:
            square = (self.side, self.side)
            heat = interpolate(heat[None, None], size=square, mode="bilinear")[0, 0]
        path = self.folder / f"{file_name(identity)}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = BytesIO()  # numpy's error does not say why writing failed
        np.save(content, heat.half().numpy())
        with atomic_file(path, durable=False) as unfinished:
            unfinished.write_bytes(content.getbuffer())


@dataclass(frozen=True)
class SplitToPredict:
    """A split to predict: its records, the writer of its rows, and where its maps are saved."""

    records: Records
    writer: Writer
    maps: SavedMaps | None = None


class Passed(NamedTuple):
    """A batch with its ranked classes and scores (B, R), and maps (B, K + 1, h, w).

    The last map is that of the true class. All tensors are on the CPU, where threads share them.
    """

    ranked: Tensor
    scores: Tensor
    maps: Tensor
    batch: Batch


class BatchInThreads(NamedTuple):
    """A batch whose rows threads compute, and the writer of the rows."""

    writer: Writer
    rows: list[Future[Row]]


class Predictor(pl.LightningModule):
    """Lightning module that writes one row per image; it returns nothing."""

    def __init__(self, network: GapNet, localizer: Localizer, jobs: list[SplitToPredict]) -> None:
        """Predict with `network` and `localizer`; every job has a data loader.

        Call `close` in the end, also after an error.
        """
        super().__init__()
        self.network = network
        self.localizer = localizer
        self.jobs = jobs
        self.stage_names = [f"predicting {job.writer.about.split}" for job in jobs]
        self.threads = ThreadPoolExecutor(cores())
        self.unfinished: list[BatchInThreads] = []
        # There may be more ranks than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def on_predict_start(self) -> None:
        """Name the parts after the rank; use one OpenCV thread, as images are in threads."""
        for job in self.jobs:
            job.writer.rank = self.global_rank
        self.opencv_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def on_predict_end(self) -> None:
        """Restore the number of OpenCV's threads."""
        cv2.setNumThreads(self.opencv_threads)

    def close(self) -> None:
        """End the threads that compute boxes."""
        self.threads.shutdown(cancel_futures=True)

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Start to compute the rows of a batch, and write those of the batch before.

        So the device computes a batch while threads compute the boxes of another.
        """
        job = self.jobs[dataloader_idx]
        every_class = job.records.multi_label  # a mean average precision needs all scores
        row = partial(self._row, job, self._pass(batch, every_class=every_class))
        rows = [self.threads.submit(row, index) for index in range(len(batch.ids))]
        self.finish()
        self.unfinished.append(BatchInThreads(job.writer, rows))

    def on_predict_epoch_end(self) -> None:
        """Write the remaining rows."""
        self.finish()
        for job in self.jobs:
            job.writer.flush()

    def finish(self) -> None:
        """Wait for the rows of earlier batches, and hand them to their writers."""
        while self.unfinished:
            batch = self.unfinished.pop(0)
            batch.writer.add([row.result() for row in batch.rows])

    def _pass(self, batch: Batch, *, every_class: bool) -> Passed:
        """Run the network on a batch, rank the best or all classes, and compute the maps."""
        outputs = self.localizer.look(self.network, self.network.normalise(batch.images))
        classes = outputs.logits.shape[1]
        ranked = outputs.logits.topk(classes if every_class else min(MOST, classes)).indices
        scores = self.network.scores(outputs.logits).gather(1, ranked)
        true = batch.labels[:, None].clamp(min=0)
        mapped = torch.cat([ranked[:, : self.localizer.guesses.classes], true], 1)
        maps = self.localizer.maps(self.network, outputs, mapped, batch.ids)
        return Passed(ranked.cpu(), scores.cpu(), maps, batch.to(CPU))

    def _row(self, job: SplitToPredict, passed: "Passed", index: int) -> Row:
        """Return the row of one image of a batch."""
        batch, one = passed.batch, slice(index, index + 1)
        identity, (height, width) = batch.ids[index], batch.sizes[index].tolist()
        if batch.corrupt[index] is not None:
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
            scores=passed.scores[index].tolist(),
            guess_labels=labels[0].tolist(),
            guess_boxes=guesses.flatten().tolist(),
        )
        return self._with_truth(row, batch, index, maps[0, -1], job)

    def _with_truth(
        self, row: Row, batch: Batch, index: int, heat: Tensor, job: SplitToPredict
    ) -> Row:
        """Return a row with the boxes and pixels of the true class's map (h, w)."""
        if batch.labels[index] == UNKNOWN:
            return row
        if job.maps is not None:
            check_whole(row, batch.windows[index], "maps are saved for whole images only")
            job.maps.save(row.id, heat)
        record = job.records.of_id(row.id)
        if record.boxes is None and not record.masks:
            return row
        seen = Laid(heat, batch.windows[index], batch.images[index])
        return known_row(row, seen, self.localizer, record)


def digest_of_weights(network: nn.Module) -> str:
    """Return a digest of all weights."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
