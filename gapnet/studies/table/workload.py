"""How many images a command of a table takes, without drawing or reading data that is not there."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.trusted_targets import find
from gapnet.data import Ilsvrc, Source, shapes
from gapnet.data.readers.devkit import IMAGES as ILSVRC_COUNTS
from gapnet.studies.table.table_command import TRAIN

SPLITS = ("train_split", "select_split", "test_split")


class ImageCounts(NamedTuple):
    """Numbers of images of the splits of a data set, and which splits are used for what."""

    images: dict[str, int]
    train_split: str
    select_split: str
    test_split: str

    def trained(self) -> int:
        """Return the number of images that are trained on."""
        return self.images[self.train_split]

    def predicted(self, split: str | None) -> int:
        """Return the number of images of a split and of the one that chooses thresholds."""
        return sum(self.images[name] for name in {self.select_split, split or self.test_split})


def workload(name: str, cfg: DictConfig) -> str:
    """Return the number of images, steps and epochs of a training or evaluation, as text."""
    counts = count_images(cfg)
    if name != TRAIN:
        return f"{counts.predicted(cfg.split):,} images" if counts else _unknown(cfg)
    if cfg.trainer.max_epochs == 0:
        return "no training: published weights"
    images = f"{counts.trained():,} images" if counts else _unknown(cfg)
    steps = cfg.trainer.get("max_steps", -1)
    if steps >= 0:
        return f"{steps:,} steps of {cfg.loader.batch_size}, of {images}"
    return f"{images} x {cfg.trainer.max_epochs} epochs"


def _unknown(cfg: DictConfig) -> str:
    return f"an unknown number of images (data.root={cfg.data.root} is not there)"


def count_images(cfg: DictConfig) -> ImageCounts | None:
    """Count the images of a data set; None if it is not there and its size is not published."""
    data = OmegaConf.to_container(cfg.data, resolve=True)
    return _count(json.dumps({"data": data, "split": cfg.split, "imports": list(cfg.imports)}))


@cache
def _count(settings: str) -> ImageCounts | None:
    """Count the images of a data set once for all commands that use it; settings are JSON."""
    cfg = OmegaConf.create(json.loads(settings))
    data: Any = cfg.data
    target = find(data["_target_"], cfg.imports, setting=f"data._target_={data['_target_']}")
    if target is shapes:
        images = {split: data[split] for split in ("train", "val", "test")}
        return ImageCounts(images, "train", "val", "test")
    if not _is_there(data.get("root")):
        published = published_counts(target)
        return ImageCounts(published, *(data[key] for key in SPLITS)) if published else None
    source: Source = build(cfg, "data")
    splits = (source.train_split, source.select_split, source.test_split)
    counted = {*splits, cfg.split or source.test_split}
    return ImageCounts({split: len(source.records(split)) for split in counted}, *splits)


def _is_there(root: str | None) -> bool:
    return root is None or "://" in root or Path(root).exists()


def published_counts(target: object) -> dict[str, int] | None:
    """Return the published number of images by split of a kind of data set, if known."""
    return ILSVRC_COUNTS if target is Ilsvrc else None
