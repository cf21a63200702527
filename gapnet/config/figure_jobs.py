"""Make the jobs of figures 9 to 11 from a configuration."""

from functools import partial

from omegaconf import DictConfig

from gapnet.config.build import build
from gapnet.config.jobs import data_maker
from gapnet.config.own_modules import check_network_imported
from gapnet.config.score_jobs import run_of
from gapnet.config.transfer_jobs import extraction_of, fitting_of, network_choice
from gapnet.jobs.concept import ConceptJob
from gapnet.jobs.objects import ObjectsJob
from gapnet.localization import Localizer, OnePerClass
from gapnet.runs.folder import find_run
from gapnet.saliency import Cam
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.mining import Mining
from gapnet.transfer.overlap import OverlapRule


def concept_job(cfg: DictConfig) -> ConceptJob:
    """Return the training of a detector that a configuration describes."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    mining = cfg.mining
    return ConceptJob(
        run=run_of(cfg, "concept"),
        network=network_choice(cfg),
        source=partial(build, cfg, "data"),
        data=data_maker(cfg),
        extraction=extraction_of(cfg, (str(cfg.layer),)),
        localizer=_localizer(cfg),
        concept=cfg.concept,
        mining=Mining(mining.start, mining.added, mining.rounds, seed=cfg.seed),
        fitting=Fitting((cfg.C,), iterations=cfg.iterations, seed=cfg.seed),
        pictures=cfg.pictures,
        resume=cfg.resume,
        of_run=run,
    )


def objects_job(cfg: DictConfig) -> ObjectsJob:
    """Return the search for informative objects that a configuration describes."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    return ObjectsJob(
        run=run_of(cfg, "objects"),
        network=network_choice(cfg),
        source=partial(build, cfg, "data"),
        data=data_maker(cfg),
        extraction=extraction_of(cfg, (GAP,)),
        localizer=_localizer(cfg),
        rule=OverlapRule(cfg.high, cfg.overlap, cfg.least, cfg.shown),
        fitting=fitting_of(cfg),
        pictures=cfg.pictures,
        resume=cfg.resume,
        of_run=run,
    )


def _localizer(cfg: DictConfig) -> Localizer:
    return Localizer(Cam(), build(cfg, "boxer"), OnePerClass(1))
