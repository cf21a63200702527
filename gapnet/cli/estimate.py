"""About how long a GPU takes for the jobs of a table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from gapnet.cli.config import build

if TYPE_CHECKING:
    from gapnet.data.sample import Source
    from gapnet.models.gapnet import GapNet

FORWARD_AND_BACK = 3  # times the work of a forward pass
PER_MULTIPLY = 2  # operations: a multiplication and an addition
TERA = 1e12
SECONDS = 3600
PUBLISHED = {"train": 1_281_167, "val": 50_000, "test": 100_000}  # images of ILSVRC


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
    """Count the work of a training with the evaluation at its end, or of an evaluation alone."""
    from gapnet.cli.assemble import rules_of

    localizer = rules_of(cfg).localizer
    network = _network(json.dumps(OmegaConf.to_container(cfg.model, resolve=True)))
    epochs = max(cfg.trainer.max_epochs, 0) if trains else 0
    images = counts["evaluated"] * localizer.passes(network)
    return Work(_multiplies(network), counts["trained"] * epochs, images)


def count_images(source: "Source | None", split: str | None) -> dict[str, int]:
    """Count the images of a data set; of ILSVRC, where it does not lie here, as published."""
    if source is None:
        return {"trained": PUBLISHED["train"], "evaluated": PUBLISHED[split or "val"]}
    evaluated = {source.select_split, split or source.test_split}
    return {
        "trained": len(source.records(source.train_split)),
        "evaluated": sum(len(source.records(each)) for each in evaluated),
    }


@cache
def _network(model: str) -> "GapNet":
    """Build a network, from its configuration in JSON, that has sizes and no weights."""
    import torch

    bare = json.loads(model) | {"pretrained": False, "weights": None, "reset_head": False}
    with torch.device("meta"):
        network: GapNet = build(OmegaConf.create({"model": bare}), "model", num_classes=1000)
    return network


@cache
def _multiplies(network: "GapNet") -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    image = torch.empty(1, network.channels, *network.facts.input_size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(image)
    return float(counter.get_total_flops()) / PER_MULTIPLY
