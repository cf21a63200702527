"""Train a network, then evaluate it."""

import copy
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.jobs.evaluate_job import evaluate_network
from gapnet.jobs.evaluation import Evaluation, MakeData, Subject, check_classes
from gapnet.jobs.job import Job, Run, open_job
from gapnet.jobs.prepared_training import (
    Training,
    fit,
    log_start,
    start_loggers,
    write_summary,
)
from gapnet.jobs.results import Results
from gapnet.jobs.resume import Start, carry_over, check_agreed, find_start
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.tracked_results import UPLOADED, log_results
from gapnet.jobs.trainer_ranks import connect, run_in_ranks
from gapnet.jobs.trainers import MakeTrainer, Tracking, training_trainer
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import check_registered, load
from gapnet.models.weights.load import RESET
from gapnet.runs.folder import find_checkpoint, short
from gapnet.runs.layout import BEST, LAST, TRAINED
from gapnet.runs.saved_config import read_saved_config
from gapnet.system.distributed import first_on_machine, wait_for_all
from gapnet.system.ranks import is_first
from gapnet.system.value_checks import one_of, true_or_false, whole_number
from gapnet.training.batch_size import check_can_search, find_batch_size
from gapnet.training.classifier import Classifier
from gapnet.training.lightning_internals import allow_unused_parameters
from gapnet.training.logger_base import finishing
from gapnet.training.optim import OptimRecipe, count_steps

LEAST_CLASSES = 2
LARGEST_SEED = 2**32 - 1  # of numpy
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainJob:
    """Training of a network, and its evaluation.

    Args:
        run: where the training writes.
        source: makes the data set.
        network: makes the network for a number of classes.
        data: makes the data module of a data set and a network.
        optim: optimiser and schedule.
        evaluation: of the trained network; validation uses its rules.
        classifier: makes the Lightning module.
        trainer: makes the trainer.
        callbacks: makes its callbacks.
        seed: of everything.
        checkpoint: the one that is evaluated: best or last.
        evaluate: whether the network is evaluated when it is trained.
        resume: auto, a run folder or a checkpoint to continue from.
        resume_changed: whether to continue with a changed configuration.
        auto_batch: whether to find the largest batch that fits into memory.
        validate_every: epochs between validations.
        log_every: steps between logged metrics.
        tracking: what is logged besides metrics.csv.
    """

    run: Run
    source: MakeSource
    network: Callable[[int], GapNet]
    data: MakeData
    optim: OptimRecipe
    evaluation: Evaluation
    classifier: Callable[..., Classifier] = Classifier
    trainer: MakeTrainer = pl.Trainer
    callbacks: Callable[[], Sequence[Callback]] = list
    seed: int = 0
    checkpoint: str = BEST
    evaluate: bool = True
    resume: str | None = None
    resume_changed: bool = False
    auto_batch: bool = False
    validate_every: int = 1
    log_every: int = 10
    tracking: Tracking = field(default_factory=Tracking)

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("seed", self.seed, most=LARGEST_SEED)
        one_of("checkpoint", self.checkpoint, (BEST, LAST))
        true_or_false("evaluate", self.evaluate)
        true_or_false("resume_changed", self.resume_changed)
        true_or_false("trainer.auto_batch", self.auto_batch)


def train(settings: TrainJob) -> Results | None:
    """Train and evaluate; only the first rank has results."""
    with open_job(settings.run) as job:
        start = find_start(settings.run, settings.resume, changed=settings.resume_changed)
        callbacks = settings.callbacks()
        trainer = training_trainer(
            settings.trainer, callbacks, settings.tracking, folder=job.folder, start=start
        )
        if run_in_ranks(job.run, trainer):
            return None
        connect(trainer)
        training = prepare(settings, trainer, start)
        with finishing(trainer.loggers, [job.folder / name for name in UPLOADED]):
            _train(settings, training, job)
            results = _evaluate(settings, training, job.folder)
            if results is not None:
                log_results(results, trainer.loggers, job.folder)
        return results


def prepare(settings: TrainJob, trainer: pl.Trainer, start: Start) -> Training:
    """Build everything, so that errors show before the training."""
    check_agreed(start)
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    localizer = settings.evaluation.rules.localizer
    with first_on_machine():  # it draws or downloads what the other ranks then read
        source = settings.source()
        network = _network(settings, source)
    settings.evaluation.check_methods(network)
    size = _saved_batch_size(start) if settings.auto_batch else None
    options: dict[str, Any] = {} if size is None else {"batch_size": size}
    data = settings.data(source, network, localizer, processes=trainer.world_size, **options)
    make = partial(_classifier, settings, trainer, network)
    _check_data(settings, data, trains=trainer.max_epochs != 0)
    if settings.auto_batch and size is None and trainer.max_epochs != 0:
        _find_batch_size(trainer, data, make)
    batches = len(data.train_dataloader()) if trainer.max_epochs != 0 else 0
    steps = _count_steps(settings, trainer, batches)
    an_epoch = -(-batches // trainer.accumulate_grad_batches)
    if settings.optim.head_steps(steps):
        allow_unused_parameters(trainer)
    trainer.log_every_n_steps = min(settings.log_every, an_epoch)  # type: ignore[attr-defined]
    classifier = make(steps)
    if steps:
        classifier.loss.check(data.records(source.train_split))
    return Training(trainer, classifier, data, steps, start)


def _network(settings: TrainJob, source: Source) -> GapNet:
    """Build the network for the classes of a data set; refuse weights with other classes."""
    if len(source.classes) < LEAST_CLASSES:
        raise GapnetError(f"{source.root}: has one class; a classifier needs two or more")
    network = settings.network(len(source.classes))
    if network.classes is not None:
        check_classes(network, source.classes, advice=RESET)
    check_registered(network)
    network.set_classes(source.classes, source.class_names)
    return network


def _classifier(settings: TrainJob, trainer: pl.Trainer, network: GapNet, steps: int) -> Classifier:
    rules = settings.evaluation.rules
    return settings.classifier(
        network=network,
        optim=settings.optim,
        localizer=rules.localizer,
        total_steps=steps,
        iou=rules.protocols[0].iou,
        inclusive=rules.protocols[0].inclusive,
        seed=settings.seed,
        batches_a_step=trainer.world_size * trainer.accumulate_grad_batches,
    )


def _check_data(settings: TrainJob, data: DataModule, *, trains: bool) -> None:
    source = data.source
    trained_on = [source.train_split] if trains else []
    evaluated_on = [settings.evaluation.split_of(source)] if settings.evaluate else []
    data.check(*trained_on, source.select_split, *evaluated_on)


def _saved_batch_size(start: Start) -> int | None:
    """Return the batch size that the search chose when the training began."""
    if start.origin is None:
        return None
    size: int | None = read_saved_config(start.origin).get("loader", {}).get("batch_size")
    return size


def _find_batch_size(
    trainer: pl.Trainer, data: DataModule, make: Callable[[int], Classifier]
) -> None:
    check_can_search(trainer)
    find_batch_size(copy.deepcopy(make(1)), data, trainer)
    log.info("loader.batch_size=%d is the largest that fits", data.batch_size)


def _count_steps(settings: TrainJob, trainer: pl.Trainer, batches: int) -> int:
    """Count the steps of the training, and refuse one that leaves nothing to evaluate."""
    count = partial(
        count_steps,
        batches,
        accumulate=trainer.accumulate_grad_batches,
        limit=trainer.limit_train_batches,
    )
    epochs, every = trainer.max_epochs, settings.validate_every
    steps = 0 if epochs == 0 else count(epochs=epochs, most=trainer.max_steps)
    if settings.checkpoint == BEST and (not steps or steps < count(epochs=every)):
        raise GapnetError(
            f"trainer.max_epochs={epochs}, max_steps={trainer.max_steps}: nothing is validated in "
            f"{steps} steps (check_val_every_n_epoch={every}), so there is no best checkpoint; "
            "set checkpoint=last"
        )
    return steps


def _train(settings: TrainJob, training: Training, job: Job) -> None:
    """Open the run folder and train, unless that is done already."""
    folder, start = job.folder, training.start
    job.open(_config(settings, training.data), continues=start.origin == folder)
    if is_first():
        carry_over(start, folder)
        job.link_latest()
        start_loggers(training.trainer, settings.tracking, folder, runs=settings.run.runs)
    wait_for_all()
    if start.origin == folder and (folder / TRAINED).is_file():
        log.info("%s: is trained already", folder)
        return
    begun = time.monotonic()
    log_start(training, log)
    fit(training, folder)
    if is_first():
        write_summary(training, folder, time.monotonic() - begun)


def _config(settings: TrainJob, data: DataModule) -> dict[str, Any]:
    """Return the configuration with the batch size that the search chose."""
    config = dict(settings.run.config)
    if settings.auto_batch:
        config["loader"] = {**config.get("loader", {}), "batch_size": data.batch_size}
    return config


def _evaluate(settings: TrainJob, training: Training, folder: Path) -> Results | None:
    checkpoint = find_checkpoint(folder, settings.checkpoint)
    if settings.evaluate:
        subject = Subject(load(checkpoint), checkpoint, training.data)
        resumed = settings.resume is not None
        return evaluate_network(subject, settings.evaluation, folder, resume=resumed)
    return Results([], [], [f"checkpoint: {short(checkpoint)}"]) if is_first() else None
