"""Export a network or predictions in formats of other tools."""

from pathlib import Path

from omegaconf import DictConfig

from gapnet.runs.folder import find_run
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Return the arguments unchanged."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Write a network, or predictions if they are named, and print where."""
    from gapnet.config.own_modules import check_network_imported
    from gapnet.config.score_jobs import labels_of
    from gapnet.jobs.export import (
        NetworkExport,
        PredictionExport,
        export_network,
        export_predictions,
    )

    folder = None if cfg.folder is None else Path(cfg.folder)
    if cfg.predictions is None:
        check_network_imported(find_run(cfg.run, cfg.checkpoint))
        settings = NetworkExport(cfg.to, cfg.run, cfg.checkpoint, folder, cfg.push, cfg.license)
        say(export_network(settings))
    else:
        predictions = PredictionExport(cfg.to, Path(cfg.predictions), folder, labels_of(cfg))
        say(export_predictions(predictions))
