"""About how long a GPU takes for the jobs of a table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.data.readers.devkit import IMAGES as PUBLISHED

if TYPE_CHECKING:
    from gapnet.data.sample import Source
    from gapnet.models.gapnet import GapNet

FORWARD_AND_BACK = 3  # times the work of a forward pass
PER_MULTIPLY = 2  # operations: a multiplication and an addition
TERA = 1e12
SECONDS = 3600
STAND_IN, ILSVRC = "gapnet.data.sources.shapes.dataset.shapes", "gapnet.data.sources.ilsvrc.Ilsvrc"


@dataclass(frozen=True)
class Work:
    """Hold what a job takes: images that are trained on, and passes of others, of a network.

    Args:
        multiplies: of one forward pass.
        trained: images, times epochs.
        passed: forward and backward passes of images that are evaluated.
    """

    multiplies: float
    trained: int
    passed: int

    def hours(self, tflops: float) -> float:
        """Estimate the hours on a device that reaches so much."""
        passes = FORWARD_AND_BACK * self.trained + self.passed
        return PER_MULTIPLY * self.multiplies * passes / (tflops * TERA) / SECONDS


def work_of(cfg: DictConfig, counts: Mapping[str, int], *, trains: bool) -> Work:
    """Count the work of a training, or of an evaluation."""
    from gapnet.config.jobs import rules_of

    localizer = rules_of(cfg).localizer
    model = OmegaConf.to_container(cfg.model, resolve=True)
    network = _network(json.dumps({"imports": list(cfg.imports), "model": model}))
    if trains:
        return Work(_multiplies(network), counts["trained"] * max(cfg.trainer.max_epochs, 0), 0)
    return Work(_multiplies(network), 0, counts["evaluated"] * localizer.passes(network))


def count_images(cfg: DictConfig) -> dict[str, int]:
    """Count the images that a job takes, without drawing any.

    The stand-in data's are counted as configured, and ILSVRC's, where it does not lie here, as
    published.
    """
    data, split = cfg.data, cfg.split
    if data._target_ == STAND_IN:
        return _count(dict(data), "train", "val", split or "test")
    if data._target_ == ILSVRC and not Path(data.root).is_dir():
        return _count(PUBLISHED, "train_cls", "val", split or "val")
    source: Source = build(cfg, "data")
    own = (source.train_split, source.select_split, split or source.test_split)
    return _count({each: len(source.records(each)) for each in own}, *own)


def _count(images: Mapping[str, int], trained: str, chosen: str, evaluated: str) -> dict[str, int]:
    """Count the images of a training, and of the splits that are predicted."""
    count = sum(images[each] for each in {chosen, evaluated})
    return {"trained": images[trained], "evaluated": count}


@cache
def _network(told: str) -> "GapNet":
    """Build a network, from its configuration in JSON, that has sizes and no weights."""
    import torch

    cfg = json.loads(told)
    cfg["model"] |= {"pretrained": False, "weights": None, "reset_head": False}
    with torch.device("meta"):
        network: GapNet = build(OmegaConf.create(cfg), "model", num_classes=1000)
    return network


@cache
def _multiplies(network: "GapNet") -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    image = torch.empty(1, network.channels, *network.facts.input_size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(image)
    return float(counter.get_total_flops()) / PER_MULTIPLY
