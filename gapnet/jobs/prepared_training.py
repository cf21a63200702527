"""A prepared training: what is logged at its start, how it runs, and its summary at the end."""

import json
import logging
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl

from gapnet.data.loading.datamodule import DataModule
from gapnet.jobs.pretraining_advice import advise_pretraining
from gapnet.jobs.resume import Start
from gapnet.jobs.trainers import Tracking
from gapnet.models.checkpoint_file import read_checkpoint
from gapnet.runs.layout import CHECKPOINTS, LAST, TRAINED
from gapnet.system.files import write_file
from gapnet.training.classifier import Classifier
from gapnet.training.logger_base import LoggedRun, RunLogger


class Training(NamedTuple):
    """A training that can start; everything is checked."""

    trainer: pl.Trainer
    classifier: Classifier
    data: DataModule
    steps: int
    start: Start


def start_loggers(trainer: pl.Trainer, tracking: Tracking, folder: Path, *, runs: Path) -> None:
    """Start the loggers of a run in a folder of runs."""
    run = LoggedRun(folder, runs, tracking.group, tracking.hyperparameters)
    for logger in trainer.loggers:
        if isinstance(logger, RunLogger):
            logger.start(run)


def log_start(training: Training, log: logging.Logger) -> None:
    """Log what is trained, from which weights, and how many images a step has."""
    data, network, trainer = training.data, training.classifier.network, training.trainer
    images = len(data.records(data.source.train_split)) if training.steps else 0
    log.info(
        "training %s on %s: %d images, %d steps",
        network.name,
        data.source.root,
        images,
        training.steps,
    )
    log.info("weights to start from: %s", network.facts.weights)
    if training.steps:
        advise_pretraining(network, data.source, images)
    accumulated, recipe = trainer.accumulate_grad_batches, training.classifier.optim
    log.info(
        "%d images per step (batch_size=%d, processes=%d, accumulated=%d); "
        "peak learning rate %g (scale_lr=%s)",
        data.batch_size * data.processes * accumulated,
        data.batch_size,
        data.processes,
        accumulated,
        recipe.lr * recipe.lr_factor(training.classifier.batches_a_step),
        recipe.scale_lr,
    )


def fit(training: Training, folder: Path) -> None:
    """Train for all steps; without steps, save the network as it is."""
    trainer, classifier = training.trainer, training.classifier
    if training.steps:
        checkpoint = training.start.checkpoint
        trainer.fit(classifier, training.data, ckpt_path=checkpoint, weights_only=True)
    else:
        trainer.strategy.connect(classifier)
        trainer.save_checkpoint(folder / CHECKPOINTS / f"{LAST}.ckpt")


def write_summary(training: Training, folder: Path, seconds: float) -> None:
    """Write training.json, which marks the end of the training."""
    data = training.data
    images = len(data.records(data.source.train_split)) if training.steps else 0
    last = read_checkpoint(folder / CHECKPOINTS / f"{LAST}.ckpt")
    summary = {
        "images": images,
        "steps": training.trainer.global_step,
        "seconds": round(seconds, 1),
        "resumed_at": training.start.step,
        "unreadable": last.get(type(data).__name__, {}).get("unreadable", []),
    }
    write_file(folder / TRAINED, json.dumps(summary) + "\n")
