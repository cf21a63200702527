"""Make jobs that explain pictures; they need nothing of what training needs."""

from pathlib import Path

from omegaconf import DictConfig

from gapnet.config.own_modules import check_network_imported
from gapnet.jobs.demo_job import DemoJob
from gapnet.jobs.picture_job import PictureJob
from gapnet.models.network_choice import NetworkChoice
from gapnet.runs.folder import find_run
from gapnet.runs.layout import CONFIG


def picture_job(cfg: DictConfig) -> PictureJob:
    """Return the explanation of pictures that a configuration describes."""
    methods = [cfg.method] if isinstance(cfg.method, str) else cfg.method
    return PictureJob(
        images=tuple(map(str, cfg.images)),
        folder=Path(cfg.folder),
        network=_network(cfg),
        classes=tuple(cfg.classes),
        top=cfg.top,
        methods=tuple(map(str, methods)),
        boxer=cfg.boxer,
        format=cfg.format,
        figure=cfg.figure,
        view=cfg.view,
        batch_size=cfg.batch_size,
        every=cfg.every,
    )


def demo_job(cfg: DictConfig) -> DemoJob:
    """Return the demo that a configuration describes."""
    return DemoJob(_network(cfg), cfg.port)


def _network(cfg: DictConfig) -> NetworkChoice:
    if cfg.run is not None and (Path(cfg.run) / CONFIG).is_file():  # it may also be a checkpoint
        check_network_imported(find_run(cfg.run, None))
    run = None if cfg.run is None else Path(str(cfg.run))
    return NetworkChoice(run, cfg.published, cfg.weights, cfg.input_size, cfg.stride)
