"""`gapnet train`."""

import json
import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.runs.layout import BEST, CHECKPOINTS, LAST, TRAINED
from gapnet.system.files import write_file

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from gapnet.config.assemble import Rules
    from gapnet.data.loading.datamodule import DataModule
    from gapnet.data.sample import Source
    from gapnet.jobs.resume import Start
    from gapnet.models.gapnet import GapNet
    from gapnet.training.classifier import Classifier
    from gapnet.training.optim import OptimRecipe

LEAST_CLASSES = 2
SEEDS = 2**32  # that torch and numpy tell apart
log = logging.getLogger(__name__)


class Training(NamedTuple):
    """Hold a training that can begin: all that could be checked before is."""

    trainer: "pl.Trainer"
    classifier: "Classifier"
    data: "DataModule"
    rules: "Rules"
    steps: int
    start: "Start"


def complete(arguments: list[str]) -> list[str]:
    """Leave the arguments as they are."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Train, then evaluate what was trained."""
    from gapnet.config.assemble import quiet_lightning, ranks_of, training_trainer
    from gapnet.config.overrides import again
    from gapnet.jobs.opening import check_place
    from gapnet.jobs.resume import start_of
    from gapnet.system.ranks import run_ranks
    from gapnet.system.signals import handled, stop
    from gapnet.training.lightning_internals import starts_ranks

    quiet_lightning()
    _check_plain(cfg)
    check_place(cfg)
    with handled(stop):
        start = start_of(cfg)
        trainer = training_trainer(cfg, start)
        if starts_ranks(trainer):
            run_ranks("train", again(cfg), count=ranks_of(trainer))
            return
        training = _prepare(cfg, trainer, start)
        folder = _train(cfg, training)
        _evaluate(cfg, training, folder)


def _prepare(cfg: DictConfig, trainer: "pl.Trainer", start: "Start") -> Training:
    """Build everything; what is wrong with any of it shows before the training."""
    import pytorch_lightning as pl

    from gapnet.config.assemble import connect, data_of, rules_of
    from gapnet.config.build import build
    from gapnet.jobs.auto_batch import choose_batch
    from gapnet.jobs.resume import check_agreed
    from gapnet.system.distributed import one_ahead

    connect(trainer)
    check_agreed(start)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    rules, optim = rules_of(cfg), build(cfg, "optim")
    with one_ahead():  # which draws or downloads what the others then find
        source = build(cfg, "data")
        network = _network_of(cfg, source)
    rules.localizer.saliency.check(network)
    data = data_of(cfg, source, network, rules.localizer, processes=trainer.world_size)
    batches_a_step = trainer.world_size * trainer.accumulate_grad_batches
    classifier_for = partial(
        _classifier_of, cfg, network, optim, rules=rules, batches_a_step=batches_a_step
    )
    trains = cfg.trainer.max_epochs != 0
    trained_on = [source.train_split] if trains else []
    evaluated_on = [cfg.split or source.test_split] if cfg.evaluate else []
    data.check(*trained_on, source.select_split, *evaluated_on)
    if trains and not start.checkpoint:
        choose_batch(cfg, trainer, data, lambda: classifier_for(steps=1))
    batches = len(data.train_dataloader()) if trains else 0
    steps = _plan_steps(cfg, trainer, batches)
    an_epoch = -(-batches // trainer.accumulate_grad_batches)
    trainer.log_every_n_steps = min(cfg.trainer.log_every_n_steps, an_epoch)  # type: ignore[attr-defined]
    return Training(trainer, classifier_for(steps=steps), data, rules, steps, start)


def _train(cfg: DictConfig, training: Training) -> Path:
    """Open the run folder and train into it, unless that has been done."""
    from gapnet.jobs.opening import link_latest, open_folder
    from gapnet.jobs.resume import carry_over
    from gapnet.system.distributed import meet
    from gapnet.system.ranks import is_first

    folder, start = Path(cfg.folder).absolute(), training.start
    if is_first():
        open_folder(cfg, goes_on=start.origin == folder)
        carry_over(start, folder)
        link_latest(folder, Path(cfg.paths.runs))
    meet()
    if start.origin == folder and (folder / TRAINED).is_file():
        log.info("%s: is trained already", folder)
        return folder
    begun = time.monotonic()
    _say_what(training)
    _fit(training, folder)
    if is_first():
        _write_down(training, folder, time.monotonic() - begun)
    return folder


def _say_what(training: Training) -> None:
    data, network = training.data, training.classifier.network
    images = len(data.records(data.source.train_split)) if training.steps else 0
    log.info(
        "training %s on %s: %d images, %d steps",
        network.name,
        data.source.root,
        images,
        training.steps,
    )
    log.info("weights to start from: %s", network.facts.weights)
    accumulated, recipe = training.trainer.accumulate_grad_batches, training.classifier.optim
    log.info(
        "%d images a step (%d a batch, on %d, %d accumulated); highest rate %g (scale_lr=%s)",
        data.batch_size * data.processes * accumulated,
        data.batch_size,
        data.processes,
        accumulated,
        recipe.lr * recipe.times(training.classifier.batches_a_step),
        recipe.scale_lr,
    )


def _fit(training: Training, folder: Path) -> None:

    trainer, checkpoint = training.trainer, training.start.checkpoint
    if not training.steps:
        _save_untrained(trainer, training.classifier, folder)
        return
    fit = partial(trainer.fit, training.classifier, training.data)
    fit = partial(fit, ckpt_path=checkpoint, weights_only=True)
    fit()


def _write_down(training: Training, folder: Path, seconds: float) -> None:
    """Say that the training has ended, and what it came to."""
    from gapnet.models.checkpoint_file import read_checkpoint

    data = training.data
    images = len(data.records(data.source.train_split)) if training.steps else 0
    last = read_checkpoint(folder / CHECKPOINTS / f"{LAST}.ckpt")
    unreadable = last.get(type(data).__name__, {}).get("unreadable", [])
    told = {
        "images": images,
        "steps": training.steps,
        "seconds": round(seconds, 1),
        "resumed_at": training.start.step,
        "unreadable": unreadable,
    }
    write_file(folder / TRAINED, json.dumps(told) + "\n")


def _evaluate(cfg: DictConfig, training: Training, folder: Path) -> None:
    from gapnet.config.run_folder import checkpoint_of, short
    from gapnet.jobs.evaluate import evaluate_network
    from gapnet.jobs.predict import Subject
    from gapnet.models.saved import load
    from gapnet.system.output import say
    from gapnet.system.ranks import is_first

    checkpoint = checkpoint_of(folder, cfg.checkpoint)
    if cfg.evaluate:
        subject = Subject(load(checkpoint), training.data, training.rules, folder, checkpoint)
        evaluate_network(cfg, subject)
    elif is_first():
        say(f"checkpoint: {short(checkpoint)}")


def _classifier_of(
    cfg: DictConfig,
    network: "GapNet",
    optim: "OptimRecipe",
    *,
    rules: "Rules",
    steps: int,
    batches_a_step: int,
) -> "Classifier":
    from gapnet.config.build import build

    classifier: Classifier = build(
        cfg,
        "classifier",
        network=network,
        optim=optim,
        localizer=rules.localizer,
        total_steps=steps,
        iou=rules.protocols[0].iou,
        inclusive=rules.protocols[0].inclusive,
        seed=cfg.seed,
        batches_a_step=batches_a_step,
    )
    return classifier


def _save_untrained(trainer: "pl.Trainer", classifier: "Classifier", folder: Path) -> None:
    trainer.strategy.connect(classifier)
    trainer.save_checkpoint(folder / CHECKPOINTS / f"{LAST}.ckpt")


def _check_plain(cfg: DictConfig) -> None:
    """Refuse plain values that are none of those there are."""
    if not (isinstance(cfg.seed, int) and 0 <= cfg.seed < SEEDS):
        raise GapnetError(f"seed={cfg.seed}: must be a whole number from 0 to {SEEDS - 1}")
    if cfg.checkpoint not in (BEST, LAST):
        raise GapnetError(f"checkpoint={cfg.checkpoint}: must be {BEST} or {LAST}")
    for key in ("evaluate", "resume_changed"):
        if not isinstance(cfg[key], bool):
            raise GapnetError(f"{key}={cfg[key]}: must be true or false")


def _network_of(cfg: DictConfig, source: "Source") -> "GapNet":
    """Build the network for the classes of a data set; weights may bring those of another."""
    from gapnet.config.build import build
    from gapnet.jobs.evaluate import check_classes
    from gapnet.models.weights.load import RESET

    if len(source.classes) < LEAST_CLASSES:
        raise GapnetError(f"{source.root}: has one class; a classifier needs two or more")
    network: GapNet = build(cfg, "model", num_classes=len(source.classes))
    if network.classes is not None:
        check_classes(network, source.classes, advice=RESET)
    network.classes = tuple(source.classes)
    return network


def _plan_steps(cfg: DictConfig, trainer: "pl.Trainer", batches: int) -> int:
    """Count the steps of the training, and refuse one that leaves nothing to evaluate."""
    from gapnet.training.optim import count_steps

    count = partial(
        count_steps,
        batches,
        accumulate=trainer.accumulate_grad_batches,
        limit=trainer.limit_train_batches,
    )
    epochs, every = trainer.max_epochs, cfg.trainer.check_val_every_n_epoch
    steps = 0 if epochs == 0 else count(epochs=epochs, most=trainer.max_steps)
    if cfg.checkpoint == BEST and (not steps or steps < count(epochs=every)):
        raise GapnetError(
            f"trainer.max_epochs={epochs}, max_steps={trainer.max_steps}: nothing is validated in "
            f"{steps} steps (check_val_every_n_epoch={every}), so there is no best checkpoint; "
            "set checkpoint=last"
        )
    return steps
