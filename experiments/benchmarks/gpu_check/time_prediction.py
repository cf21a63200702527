"""Images per second of the predict half of an evaluation, and of the network alone."""

import shutil
import warnings
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Batch
from gapnet.evaluation.predict import Predictor, SplitToPredict
from gapnet.evaluation.store import About, Writer
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.saliency.cam.cam import Cam
from gpu_check.device_clock import forget_peak, now, peak_gib

Precision = Literal["bf16-mixed", "32-true"]
PRECISIONS: dict[Precision, torch.dtype | None] = {"bf16-mixed": torch.bfloat16, "32-true": None}
SPLIT = "test"
WARM_UP = 1  # batches
WARM_PASSES, PASSES = 5, 30  # of a batch through the network alone


class TimedPredictor(Predictor):
    """Predict, and time all batches but the first."""

    _begun = seconds = 0.0
    images = 0

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Start to compute the rows of a batch, and count its images after the warm-up."""
        super().predict_step(batch, batch_idx, dataloader_idx)
        if batch_idx + 1 == WARM_UP:
            self._begun = now()
        elif batch_idx >= WARM_UP:
            self.images += len(batch.ids)

    def on_predict_epoch_end(self) -> None:
        """Write the remaining rows, and take the time."""
        super().on_predict_epoch_end()
        self.seconds = now() - self._begun


def time_prediction(data: DataModule, run: Path, accelerator: str) -> dict[str, Any]:
    """Predict a split with the network of a run in each precision, and time the network alone."""
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    network = load(run)
    measures: dict[str, Any] = {}
    for precision in PRECISIONS:
        whole = _time_predicting(network, data, precision, accelerator)
        measures[precision] = whole | _time_network(network, data, precision, accelerator)
    return measures


def _time_predicting(
    network: GapNet, data: DataModule, precision: Precision, accelerator: str
) -> dict[str, Any]:
    """Time input, network, class maps, boxes and thresholds of a split."""
    boxer = ThresholdBoxer()
    localizer = Localizer(Cam(), boxer, OnePerClass())
    place = Path(f"predicted-{precision}")
    shutil.rmtree(place, ignore_errors=True)
    about = About(SPLIT, tuple(data.source.classes), network.name, cuts=tuple(boxer.thresholds()))
    jobs = [SplitToPredict(data.records(SPLIT), Writer(place, about))]
    predictor = TimedPredictor(network, localizer, jobs)
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    forget_peak()
    trainer.predict(predictor, data.loader(SPLIT), return_predictions=False)
    rate = predictor.images / predictor.seconds
    return {"images_per_second": rate, "timed_images": predictor.images, "peak_gib": peak_gib()}


def _time_network(
    network: GapNet, data: DataModule, precision: Precision, accelerator: str
) -> dict[str, Any]:
    """Time passes of one batch, from bytes on the device to logits."""
    device = torch.device("cpu" if accelerator == "cpu" else "cuda")
    network.to(device)
    images = next(iter(data.loader(SPLIT))).to(device).images
    half = PRECISIONS[precision]
    autocast = torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None)
    forget_peak()
    with torch.inference_mode(), autocast:
        for _ in range(WARM_PASSES):
            network(network.normalise(images))
        begun = now()
        for _ in range(PASSES):
            network(network.normalise(images))
        seconds = now() - begun
    rate = PASSES * len(images) / seconds
    return {"network_images_per_second": rate, "network_peak_gib": peak_gib()}
