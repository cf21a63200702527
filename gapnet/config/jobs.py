"""Make jobs from a configuration."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.hyperparameters import hyperparameters
from gapnet.config.job_identity import differences, node_identity
from gapnet.config.overrides import repeated_command
from gapnet.config.own_modules import check_network_imported
from gapnet.config.run_id import plain_config
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.protocols import Protocol
from gapnet.jobs import (
    EvaluateJob,
    Evaluation,
    LabelRule,
    Rules,
    Run,
    ScoreJob,
    TrainJob,
)
from gapnet.jobs.trainers import Tracking
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.runs.folder import find_checkpoint, find_run

# Keys of the trainer that Lightning does not have
AUTO_BATCH, LOG_IMAGES = "auto_batch", "log_images"


def train_job(cfg: DictConfig) -> TrainJob:
    """Return the training that a configuration describes."""
    return TrainJob(
        run=run_of(cfg, "train"),
        source=partial(build, cfg, "data"),
        network=lambda classes: build(cfg, "model", num_classes=classes),
        data=data_maker(cfg),
        optim=build(cfg, "optim"),
        evaluation=evaluation_of(cfg),
        classifier=partial(build, cfg, "classifier"),
        trainer=trainer_maker(cfg),
        callbacks=lambda: list(build(cfg, "callbacks").values()),
        seed=cfg.seed,
        checkpoint=cfg.checkpoint,
        evaluate=cfg.evaluate,
        resume=None if cfg.resume is None else str(cfg.resume),
        resume_changed=cfg.resume_changed,
        auto_batch=cfg.trainer.get(AUTO_BATCH, False),
        validate_every=cfg.trainer.check_val_every_n_epoch,
        log_every=cfg.trainer.log_every_n_steps,
        tracking=tracking_of(cfg),
    )


def evaluate_job(cfg: DictConfig) -> EvaluateJob:
    """Return the evaluation of a network that a configuration describes."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    return EvaluateJob(
        run=run_of(cfg, "evaluate"),
        checkpoint=find_checkpoint(run, cfg.checkpoint),
        source=partial(build, cfg, "data"),
        data=data_maker(cfg),
        evaluation=evaluation_of(cfg),
        resume=cfg.resume,
        of_run=run,
    )


def score_job(cfg: DictConfig) -> ScoreJob:
    """Return the scoring of predictions that a configuration describes."""
    return ScoreJob(
        run=run_of(cfg, "evaluate"),
        source=partial(build, cfg, "data"),
        rules=partial(rules_of, cfg),
        protocols=protocols_of(cfg),
        predictions=path_of(cfg.predictions),
        maps=path_of(cfg.maps),
        split=cfg.split,
        limit=cfg.loader.limit,
        labels=labels_of(cfg),
        check_labels=cfg.check_labels,
        resume=cfg.resume,
        workers=cfg.loader.num_workers,
    )


def run_of(cfg: DictConfig, command: str) -> Run:
    """Return where a command writes, and what describes it there."""
    return Run(
        folder=Path(cfg.folder),
        runs=Path(cfg.paths.runs),
        config=plain_config(cfg),
        seed=cfg.get("seed"),
        command=[command, *repeated_command(cfg)],
        differences=partial(differences, imports=cfg.get("imports") or ()),
    )


def data_maker(cfg: DictConfig) -> Callable[..., DataModule]:
    """Return a function that makes the data module of a data set and a network."""

    def make(
        source: Source, network: GapNet, localizer: Localizer | None = None, **options: Any
    ) -> DataModule:
        size = network.facts.input_size
        module: DataModule = build(
            cfg,
            "loader",
            source=source,
            input_size=size,
            canvas=None if localizer is None else localizer.crops.canvas(size),
            view=_view_of(network, build(cfg, "view")),
            augment=build(cfg, "augment") if "augment" in cfg else None,
            seed=cfg.get("seed", 0),
            **options,
        )
        return module

    return make


def _view_of(network: GapNet, view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view that takes from the network's weights what the configuration does not say."""
    facts = network.facts
    own = {"interpolation": facts.interpolation, "crop": facts.crop, "squash": facts.squash}
    takes, said = inspect.signature(view).parameters, getattr(view, "keywords", {})
    return partial(view, **{name: own[name] for name in own if name in takes and name not in said})


def evaluation_of(cfg: DictConfig) -> Evaluation:
    """Return how a network is evaluated."""
    view: Any = OmegaConf.to_container(cfg.view, resolve=True)
    return Evaluation(
        rules=rules_of(cfg),
        trainer=trainer_maker(cfg),
        precision=str(cfg.trainer.precision),
        view=node_identity(view, cfg.imports),
        split=cfg.get("split"),
        keep_maps=cfg.get("keep_maps"),
        labels=labels_of(cfg),
        pictures=cfg.report.images,
    )


def rules_of(cfg: DictConfig) -> Rules:
    """Return the rules of an evaluation: how it makes boxes and scores them."""
    parts = (build(cfg, key) for key in ("saliency", "boxer", "guesses", "crops"))
    return Rules(Localizer(*parts), protocols_of(cfg))


def protocols_of(cfg: DictConfig) -> tuple[Protocol, ...]:
    """Return the protocols; the first one is the main one."""
    built = build(cfg, "protocol")
    return built if isinstance(built, tuple) else (built,)


def labels_of(cfg: DictConfig) -> LabelRule:
    """Return the rule for labels in files of other tools."""
    return LabelRule(cfg.get("labels", LabelRule.labels), path_of(cfg.get("synsets")))


def trainer_maker(cfg: DictConfig) -> Callable[..., Any]:
    """Return a function that makes a trainer, without the keys that Lightning does not have."""
    values: Any = OmegaConf.to_container(cfg.trainer, resolve=True)
    if "logger" in values:
        raise GapnetError(
            "trainer.logger: is set by gapnet; choose loggers with logger=tensorboard, wandb, "
            "mlflow, csv, none or a list of them"
        )
    for key in (AUTO_BATCH, LOG_IMAGES):
        values.pop(key, None)
    return partial(build, OmegaConf.create({"trainer": values, "imports": cfg.imports}), "trainer")


def tracking_of(cfg: DictConfig) -> Tracking:
    """Return what a training logs."""
    return Tracking(
        loggers=list(build(cfg, "logger").values()) if cfg.get("logger") else [],
        images=cfg.trainer.get(LOG_IMAGES, Tracking.images),
        group=None if cfg.get("group") is None else str(cfg.group),
        hyperparameters=hyperparameters(plain_config(cfg)),
    )


def path_of(value: object) -> Path | None:
    """Return a value as a path; None stays None."""
    return None if value is None else Path(str(value))
