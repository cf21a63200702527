"""Make trainings and evaluations from a configuration."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.hyperparameters import hyperparameters
from gapnet.config.job_identity import node_identity
from gapnet.config.own_modules import check_network_imported
from gapnet.config.run_id import plain_config
from gapnet.config.score_jobs import labels_of, rules_of, run_of
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.explanations.methods import METHODS
from gapnet.jobs import EvaluateJob, Evaluation, TrainJob
from gapnet.jobs.trainers import Tracking
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.runs.folder import find_checkpoint, find_run
from gapnet.saliency import Saliency

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
        methods=methods_of(cfg.report.get("methods", ())),
    )


def methods_of(names: Sequence[str]) -> dict[str, Saliency]:
    """Return saliency methods by their names."""
    if isinstance(names, str) or set(names) - set(METHODS):
        choices = ", ".join(METHODS)
        raise GapnetError(f"report.methods={names}: must be a list of {choices}")
    return {name: METHODS[name]() for name in names}


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
