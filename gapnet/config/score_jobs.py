"""Make scorings from a configuration, and what all jobs take from it.

This file imports neither Lightning nor networks, so that scoring starts soon.
"""

from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from gapnet.config.build import build
from gapnet.config.job_identity import differences
from gapnet.config.overrides import repeated_command
from gapnet.config.run_id import plain_config
from gapnet.evaluation.protocols import Protocol
from gapnet.jobs import LabelRule, Rules, Run, ScoreJob
from gapnet.localization.localizer import Localizer


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


def path_of(value: object) -> Path | None:
    """Return a value as a path; None stays None."""
    return None if value is None else Path(str(value))
