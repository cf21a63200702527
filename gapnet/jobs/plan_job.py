"""Measure a training on one device, and compute what the whole run would take."""

import logging
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint

from gapnet.data.index import cores
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Batch
from gapnet.errors import GapnetError
from gapnet.jobs.job import quiet_lightning
from gapnet.jobs.prepared_training import Training
from gapnet.jobs.resume import Start
from gapnet.jobs.timed_batches import TimedBatches
from gapnet.jobs.train_job import TrainJob, prepare
from gapnet.jobs.trainers import Tracking, predicting_trainer, training_trainer
from gapnet.runs.layout import BEST, CHECKPOINTS, LAST, PREVIOUS
from gapnet.training.classifier import Classifier
from gapnet.training.run_plan import Measured, Plan, Planned

NOTHING_LOGGED = Tracking(loggers=())  # besides metrics.csv
PARTS = 4  # measurements, which take the same time
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlanJob:
    """The plan of a training.

    Args:
        train: the training that is measured, on one device.
        minutes: of measuring.
        devices: per machine, of the training that is planned.
        machines: number of machines.
        epochs: of the training; None or -1 if only `most_steps` ends it.
        most_steps: of the training; -1 for no limit.
        validate_every: epochs between validations.
    """

    train: TrainJob
    minutes: float = 1.0
    devices: int = 1
    machines: int = 1
    epochs: int | None = 1
    most_steps: int = -1
    validate_every: int = 1

    def __post_init__(self) -> None:
        """Refuse a plan of no training."""
        if self.epochs == 0 or self.most_steps == 0:
            raise GapnetError(
                f"trainer.max_epochs={self.epochs}, trainer.max_steps={self.most_steps}: nothing "
                "is trained; set values other than 0"
            )


class MemoryData(pl.LightningDataModule):
    """Data module whose batches come from elsewhere, with the records of another one."""

    def __init__(self, data: DataModule, batches: Iterable[Batch]) -> None:
        """Use the records of `data`."""
        super().__init__()
        self.source, self.records, self.batches = data.source, data.records, batches

    def train_dataloader(self) -> Iterable[Batch]:
        """Return the batches."""
        return self.batches


def plan_run(job: PlanJob) -> Plan:
    """Measure a training in a temporary folder, and plan it."""
    quiet_lightning()
    settings = replace(job.train, optim=replace(job.train.optim, head_first=0.0))
    with tempfile.TemporaryDirectory(prefix="gapnet-plan-") as folder:
        trainer = _trainer(settings, Path(folder))
        training = prepare(settings, trainer, Start())
        planned = _planned(job, training)
        _ = planned.steps  # refuses a training without end before a minute has passed
        return Plan(_measure(settings, training, Path(folder), 60 * job.minutes / PARTS), planned)


def _trainer(settings: TrainJob, folder: Path) -> pl.Trainer:
    """Make the trainer without the callbacks that need a validation."""
    kept: list[Callback] = [
        callback
        for callback in settings.callbacks()
        if not isinstance(callback, ModelCheckpoint | EarlyStopping)
    ]
    return training_trainer(settings.trainer, kept, NOTHING_LOGGED, folder=folder, start=Start())


def _planned(job: PlanJob, training: Training) -> Planned:
    data, source = training.data, training.data.source
    has_best = any(isinstance(callback, ModelCheckpoint) for callback in job.train.callbacks())
    return Planned(
        network=training.classifier.network.name,
        data=source.title,
        images=len(data.records(source.train_split)),
        validation_images=len(data.records(source.select_split)),
        batch_size=data.batch_size,
        accumulate=training.trainer.accumulate_grad_batches,
        devices=job.devices,
        machines=job.machines,
        epochs=job.epochs,
        most_steps=job.most_steps,
        validate_every=job.validate_every,
        checkpoints=(LAST, PREVIOUS, *((BEST,) if has_best else ())),
    )


def _measure(settings: TrainJob, training: Training, folder: Path, seconds: float) -> Measured:
    data, classifier, trainer = training.data, training.classifier, training.trainer
    device = trainer.strategy.root_device
    wait = _waiting(device)

    def timed(batches: Iterable[Batch]) -> TimedBatches:
        return TimedBatches(batches, seconds=seconds, wait=wait)

    name = classifier.network.name
    log.info("measuring %s on %s: reading, training, both together, validation", name, device)
    reading = timed(data.train_dataloader())
    deque(reading, maxlen=0)
    batch: Batch = next(iter(data.train_dataloader()))
    stepping, training_both = timed(list(repeat(batch, 1))), timed(data.train_dataloader())
    _fit(trainer, classifier, data, stepping)
    _fit(_trainer(settings, folder), classifier, data, training_both)
    validating = timed(data.val_dataloader())
    _validate(settings, classifier, validating)
    return Measured(
        device=_name(device),
        cores=cores(),
        workers=data.num_workers,
        input_rate=reading.rate,
        step_rate=stepping.rate,
        train_rate=training_both.rate,
        train_steps=training_both.count,
        validation_rate=validating.rate,
        checkpoint_bytes=(folder / CHECKPOINTS / f"{LAST}.ckpt").stat().st_size,
    )


def _fit(
    trainer: pl.Trainer, classifier: Classifier, data: DataModule, batches: TimedBatches
) -> None:
    trainer.fit(classifier, MemoryData(data, batches))


def _validate(settings: TrainJob, classifier: Classifier, batches: TimedBatches) -> None:
    trainer = predicting_trainer(settings.trainer)
    trainer.limit_val_batches = 1.0
    trainer.validate(classifier, batches, verbose=False)


def _waiting(device: torch.device) -> Callable[[], None]:
    """Return what waits until the device has done its work."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
