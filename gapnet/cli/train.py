"""`gapnet train`."""

import json
import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.layout import BEST, CHECKPOINTS, LAST, TRAINED, write_whole

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from gapnet.cli.assemble import Rules
    from gapnet.data.sample import Source
    from gapnet.models.gapnet import GapNet
    from gapnet.training.classifier import Classifier
    from gapnet.training.optim import OptimRecipe

LEAST_CLASSES = 2
SEEDS = 2**32  # that torch and numpy tell apart
log = logging.getLogger(__name__)


def complete(arguments: list[str]) -> list[str]:
    """Leave the arguments as they are."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Train, then evaluate what was trained."""
    from gapnet.cli.assemble import data_of, quiet_lightning, rules_of, training_trainer
    from gapnet.cli.config import build
    from gapnet.cli.evaluation import evaluate_network
    from gapnet.cli.predicting import Subject
    from gapnet.cli.runs import checkpoint_of, link_latest, open_folder, short
    from gapnet.models.saved import load

    quiet_lightning()
    _seed(cfg)
    rules, optim = rules_of(cfg), build(cfg, "optim")
    source = build(cfg, "data")
    network = _network_of(cfg, source)
    rules.localizer.saliency.check(network)
    data = data_of(cfg, source, network, rules.localizer)
    trained_on = [source.train_split] if cfg.trainer.max_epochs != 0 else []
    evaluated_on = [cfg.split or source.test_split] if cfg.evaluate else []
    data.check(*trained_on, source.select_split, *evaluated_on)
    batches = len(data.train_dataloader()) if trained_on else 0
    trainer = training_trainer(cfg, batches)
    steps = _plan_steps(cfg, trainer, batches)
    classifier = _classifier_of(cfg, network, optim, rules, steps)
    folder = open_folder(cfg)
    link_latest(folder, Path(cfg.paths.runs))
    images = sum(len(data.records(split)) for split in trained_on)
    log.info("training %s on %s: %d images, %d steps", network.name, source.root, images, steps)
    log.info("weights to start from: %s", network.facts.weights)
    begun = time.monotonic()
    if steps:
        trainer.fit(classifier, data)
    else:
        _save_untrained(trainer, classifier, folder)
    told = {"images": images, "steps": steps, "seconds": round(time.monotonic() - begun, 1)}
    write_whole(folder / TRAINED, json.dumps(told) + "\n")
    checkpoint = checkpoint_of(folder, cfg.checkpoint)
    if not cfg.evaluate:
        print(f"checkpoint: {short(checkpoint)}")
        return
    evaluate_network(cfg, Subject(load(checkpoint), data, rules, folder, checkpoint))


def _classifier_of(
    cfg: DictConfig, network: "GapNet", optim: "OptimRecipe", rules: "Rules", steps: int
) -> "Classifier":
    from gapnet.cli.config import build

    classifier: Classifier = build(
        cfg,
        "classifier",
        network=network,
        optim=optim,
        localizer=rules.localizer,
        total_steps=steps,
        iou=rules.protocols[0].iou,
        inclusive=rules.protocols[0].inclusive,
    )
    return classifier


def _save_untrained(trainer: "pl.Trainer", classifier: "Classifier", folder: Path) -> None:
    trainer.strategy.connect(classifier)
    trainer.save_checkpoint(folder / CHECKPOINTS / f"{LAST}.ckpt")


def _seed(cfg: DictConfig) -> None:
    """Seed everything, once it is clear what is to be evaluated in the end."""
    import pytorch_lightning as pl

    if not (isinstance(cfg.seed, int) and 0 <= cfg.seed < SEEDS):
        raise GapnetError(f"seed={cfg.seed}: must be a whole number from 0 to {SEEDS - 1}")
    if cfg.checkpoint not in (BEST, LAST):
        raise GapnetError(f"checkpoint={cfg.checkpoint}: must be {BEST} or {LAST}")
    if not isinstance(cfg.evaluate, bool):
        raise GapnetError(f"evaluate={cfg.evaluate}: must be true or false")
    pl.seed_everything(cfg.seed, workers=True, verbose=False)


def _network_of(cfg: DictConfig, source: "Source") -> "GapNet":
    """Build the network for the classes of a data set; weights may bring those of another."""
    from gapnet.cli.config import build
    from gapnet.cli.evaluation import check_classes
    from gapnet.models.weights import RESET

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
