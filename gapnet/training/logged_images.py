"""Pictures of a training: the same images after each validation, with map, box and verdict."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.images import Images, read_image
from gapnet.data.records import Records
from gapnet.data.sample import Batch, collate
from gapnet.metrics.functional import best_iou, pad_lists
from gapnet.ops.overlay import overlay, with_caption
from gapnet.text.class_names import readable_names
from gapnet.text.plain_text import plain
from gapnet.training.classifier import Classifier
from gapnet.training.lightning_internals import logged_step
from gapnet.training.logger_base import LoggedImage, RunLogger

PANEL = "pictures"  # first part of the images' names


class ImageLog(pl.Callback):
    """Callback that draws a fixed choice of validation images after each validation.

    Put it before other callbacks: at the end of a validation, MovingAverage replaces the weights.
    """

    def __init__(self, count: int) -> None:
        """Draw so many images, on the first rank."""
        self.count = count

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Draw the images, and send them to the loggers."""
        if trainer.state.fn != "fit" or trainer.sanity_checking or not trainer.is_global_zero:
            return
        data: DataModule = trainer.datamodule  # type: ignore[attr-defined]
        step = logged_step(trainer)
        with isolate_rng(), trainer.precision_plugin.val_step_context():
            images = draw(pl_module, data, self.count)
        for logger in trainer.loggers:
            if isinstance(logger, RunLogger):
                logger.log_images(images, step)


def choose_rows(records: Records, count: int) -> list[int]:
    """Return rows of a split, always the same ones; those with boxes first."""
    order = torch.randperm(len(records), generator=torch.Generator().manual_seed(0))
    boxed = records.boxed[order]
    return torch.cat([order[boxed], order[~boxed]])[:count].tolist()


def draw(classifier: Classifier, data: DataModule, count: int) -> list[LoggedImage]:
    """Return images of the validation split, with the map and box of the true class."""
    images = data.images(data.source.select_split)
    samples = [(row, images[row]) for row in choose_rows(images.records, count)]
    readable = [(row, sample) for row, sample in samples if sample.corrupt is None]
    if not readable:
        return []
    rows, shown = zip(*readable, strict=True)
    batch = collate(list(shown))
    network, localizer = classifier.network, classifier.localizer
    outputs = localizer.look(network, classifier.input_of(batch.images.to(classifier.device)))
    labels = batch.labels[:, None].to(classifier.device)
    maps = localizer.maps(network, outputs, labels, batch.ids)
    boxes = localizer.boxes(maps, batch.windows, batch.sizes, batch.images)[:, 0, 0]
    names = readable_names(data.source.classes, data.source.class_names)
    captions = captions_of(classifier, batch, network.scores(outputs.logits).cpu(), boxes, names)
    return [
        LoggedImage(
            f"{PANEL}/{number} {plain(batch.ids[number])}",
            "; ".join(captions[number]),
            with_caption(
                overlay(
                    _read(images, row),
                    maps[number, 0],
                    batch.windows[number],
                    predicted=boxes[number].tolist(),
                    true=_true_boxes(batch, number),
                ),
                captions[number],
            ),
        )
        for number, row in enumerate(rows)
    ]


def captions_of(
    classifier: Classifier, batch: Batch, scores: Tensor, boxes: Tensor, names: Sequence[str]
) -> list[list[str]]:
    """Return lines of text per image: the predicted class, its verdict, and that of the box."""
    captions = []
    for number, label in enumerate(batch.labels.tolist()):
        score, guess = scores[number].max(0)
        verdict = "right" if guess == label else f"wrong, it is {plain(names[label])}"
        captions.append(
            [
                f"{float(score):.0%} {plain(names[int(guess)])}",
                f"class: {verdict}",
                _box_verdict(classifier, batch.boxes[number], boxes[number]),
            ]
        )
    return captions


def _box_verdict(classifier: Classifier, true: Tensor | None, box: Tensor) -> str:
    if true is None or not len(true):
        return "no true box"
    rule = classifier.gt_known_error
    overlap = float(best_iou(box[None, None], pad_lists([true.cpu()]), inclusive=rule.inclusive))
    return f"box: IoU {overlap:.2f}, {'right' if overlap >= rule.threshold else 'wrong'}"


def _true_boxes(batch: Batch, number: int) -> list[list[float]]:
    boxes = batch.boxes[number]
    return [] if boxes is None else boxes.tolist()


def _read(images: Images, row: int) -> Image.Image:
    reading = images.reading
    return read_image(images.records[row].path, exif=reading.exif, files=reading.files)
