"""Make the jobs of nearest neighbours, whitening, retrieval and maps from a configuration."""

from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.run_groups import data_of
from gapnet.config.score_jobs import path_of, run_of
from gapnet.errors import GapnetError
from gapnet.jobs.embed import EmbedJob
from gapnet.jobs.feature_sets import SetChoice
from gapnet.jobs.neighbours import NeighboursJob
from gapnet.jobs.retrieve import RetrieveJob
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.whiten import WhitenJob


def neighbours_job(cfg: DictConfig) -> NeighboursJob:
    """Return the search for neighbours that a configuration describes."""
    base, queries = _sets(cfg)
    same = queries.folder == base.folder
    return NeighboursJob(
        run=run_of(cfg, "neighbours"),
        base=base,
        queries=queries,
        source=partial(build, cfg, "data"),
        query_source=partial(build, cfg, "data") if same else _source_of(queries.folder, cfg),
        ids=_texts(cfg, "queries"),
        count=cfg.count,
        pictures=cfg.pictures,
    )


def retrieve_job(cfg: DictConfig) -> RetrieveJob:
    """Return the scoring of a retrieval that a configuration describes."""
    base, queries = _sets(cfg)
    return RetrieveJob(
        run=run_of(cfg, "retrieve"),
        base=base,
        queries=queries,
        source=partial(build, cfg, "data"),
        expand=cfg.expand,
    )


def whiten_job(cfg: DictConfig) -> WhitenJob:
    """Return the learning of a whitening that a configuration describes."""
    return WhitenJob(
        run=run_of(cfg, "whiten"),
        features=SetChoice(_features(cfg), cfg.layer, cfg.split),
        components=cfg.components,
    )


def embed_job(cfg: DictConfig) -> EmbedJob:
    """Return the map that a configuration describes."""
    methods: Any = _texts(cfg, "methods") or ()
    return EmbedJob(
        run=run_of(cfg, "embed"),
        features=SetChoice(_features(cfg), cfg.layer, cfg.split),
        source=partial(build, cfg, "data"),
        methods=methods,
        images=cfg.images,
        pictures=cfg.pictures,
        perplexity=cfg.perplexity,
        seed=cfg.seed,
    )


def _sets(cfg: DictConfig) -> tuple[SetChoice, SetChoice]:
    """Return the base and the queries."""
    folder, whitening = _features(cfg), path_of(cfg.whitening)
    other = path_of(cfg.query_features) or folder
    return (
        SetChoice(folder, cfg.layer, cfg.base_split, whitening),
        SetChoice(other, cfg.layer, cfg.query_split, whitening),
    )


def _features(cfg: DictConfig) -> Path:
    if cfg.features is None:
        raise GapnetError("features=null: name a folder that gapnet features has written")
    return Path(cfg.features)


def _source_of(folder: Path, cfg: DictConfig) -> MakeSource:
    """Return a function that makes the data set of a folder of features."""
    values = {"data": data_of(folder, cfg.imports), "paths": cfg.paths, "imports": cfg.imports}
    return partial(build, OmegaConf.create(values), "data")


def _texts(cfg: DictConfig, key: str) -> tuple[str, ...] | None:
    """Return a key's value, a text or a list of texts; None stays None."""
    value = cfg[key]
    if value is None:
        return None
    texts = list(value) if isinstance(value, ListConfig) else [value]
    return tuple(map(str, texts))
