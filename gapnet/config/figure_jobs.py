"""Make the jobs of figures 9 to 11 from a configuration."""

from omegaconf import DictConfig

from gapnet.config.build import build
from gapnet.config.network_jobs import network_fields
from gapnet.config.transfer_jobs import extraction_of, fitting_of
from gapnet.jobs.concept import ConceptJob
from gapnet.jobs.objects import ObjectsJob
from gapnet.localization import Localizer, OnePerClass
from gapnet.saliency import Cam
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import GAP
from gapnet.transfer.mining import Mining
from gapnet.transfer.overlap import OverlapRule


def concept_job(cfg: DictConfig) -> ConceptJob:
    """Return the training of a detector that a configuration describes."""
    mining = cfg.mining
    return ConceptJob(
        **network_fields(cfg, "concept"),
        extraction=extraction_of(cfg, (str(cfg.layer),)),
        localizer=_localizer(cfg),
        concept=cfg.concept,
        mining=Mining(mining.start, mining.added, mining.rounds, seed=cfg.seed),
        fitting=Fitting((cfg.C,), iterations=cfg.iterations, seed=cfg.seed),
        pictures=cfg.pictures,
    )


def objects_job(cfg: DictConfig) -> ObjectsJob:
    """Return the search for informative objects that a configuration describes."""
    return ObjectsJob(
        **network_fields(cfg, "objects"),
        extraction=extraction_of(cfg, (GAP,)),
        localizer=_localizer(cfg),
        rule=OverlapRule(cfg.high, cfg.overlap, cfg.least, cfg.shown),
        fitting=fitting_of(cfg),
        pictures=cfg.pictures,
    )


def _localizer(cfg: DictConfig) -> Localizer:
    return Localizer(Cam(), build(cfg, "boxer"), OnePerClass(1))
