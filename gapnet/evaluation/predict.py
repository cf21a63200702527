"""Predict: run a network over a split and write one row per image, keeping no map."""

import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.data.sample import Batch
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import Row, Writer
from gapnet.localization.guesses import MOST
from gapnet.localization.localizer import Localizer
from gapnet.metrics.functional import best_iou, pad_lists
from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import look


class Predictor(pl.LightningModule):
    """Be what a Trainer predicts with: rows go to the writer, nothing is returned."""

    def __init__(
        self, network: GapNet, localizer: Localizer, protocol: Protocol, writer: Writer
    ) -> None:
        """Predict with `network`, as `localizer` says; overlaps are taken as `protocol` says."""
        super().__init__()
        self.network = network
        self.localizer = localizer
        self.protocol = protocol
        self.writer = writer

    def predict_step(self, batch: Batch, batch_idx: int) -> None:
        """Write the rows of a batch."""
        seen = look(self.network, self.network.normalise(batch.images))
        ranked = seen.logits.topk(min(MOST, seen.logits.shape[1])).indices
        scores = seen.logits.float().softmax(1).gather(1, ranked)
        classes = torch.cat([ranked[:, : self.localizer.guesses.classes], batch.labels[:, None]], 1)
        maps = self.localizer.maps(self.network, seen, classes, batch.ids)
        boxes = self.localizer.boxes(maps, batch.windows, batch.sizes)
        labels, guesses = self.localizer.guesses(classes[:, :-1].cpu(), boxes[:, :-1])
        overlaps = self._overlaps(maps[:, -1:], boxes[:, -1:], batch)
        height_width = batch.sizes.tolist()
        self.writer.add(
            [
                Row(
                    id=batch.ids[row],
                    height=height_width[row][0],
                    width=height_width[row][1],
                    classes=ranked[row].tolist(),
                    scores=scores[row].tolist(),
                    guess_labels=labels[row].tolist(),
                    guess_boxes=guesses[row].flatten().tolist(),
                    truth_iou=None if overlaps is None else overlaps[row, 0].item(),
                    truth_ious=None if overlaps is None else overlaps[row, 1:].tolist(),
                )
                for row in range(len(batch.ids))
            ]
        )

    def on_predict_end(self) -> None:
        """Write the last rows."""
        self.writer.flush()

    def _overlaps(self, maps: Tensor, boxes: Tensor, batch: Batch) -> Tensor | None:
        """Overlap the true class's box, and its boxes at each cut, with the truth: (B, 1 + T)."""
        truth = [each for each in batch.boxes if each is not None]
        if len(truth) < len(batch.boxes):
            return None
        cuts = self.protocol.thresholds()
        swept = self.localizer.boxes_at(maps, batch.windows, batch.sizes, cuts)[:, 0]
        return best_iou(
            torch.cat([boxes, swept], 1),
            pad_lists([each.cpu() for each in truth]),
            inclusive=self.protocol.inclusive,
        )
