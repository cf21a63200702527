"""Make the fields that all jobs with a chosen network share from a configuration."""

from functools import partial
from typing import Any

from omegaconf import DictConfig

from gapnet.config.build import build
from gapnet.config.jobs import data_maker
from gapnet.config.own_modules import check_network_imported
from gapnet.config.score_jobs import run_of
from gapnet.models.network_choice import NetworkChoice
from gapnet.runs.folder import find_checkpoint, find_run


def network_fields(cfg: DictConfig, command: str) -> dict[str, Any]:
    """Return the fields of `NetworkJob` for a command."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    return {
        "run": run_of(cfg, command),
        "network": _network_choice(cfg),
        "source": partial(build, cfg, "data"),
        "data": data_maker(cfg),
        "resume": cfg.resume,
        "of_run": run,
    }


def _network_choice(cfg: DictConfig) -> NetworkChoice:
    """Return the network that run=, checkpoint= or published= names."""
    if cfg.run is None and cfg.checkpoint is None:
        return NetworkChoice(None, cfg.published, cfg.weights)
    checkpoint = find_checkpoint(find_run(cfg.run, cfg.checkpoint), cfg.checkpoint)
    return NetworkChoice(checkpoint, cfg.published, cfg.weights)
