"""Convolutional networks of timm, cut at the end of a stage."""

import logging
from typing import Any

import timm
from timm.layers.format import Format
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.preprocessing import timm_config
from gapnet.models.registry import register
from gapnet.models.surgery import cut, feature_size
from gapnet.models.weights.published import Timm

log = logging.getLogger(__name__)
NEAR = 5  # names that an error suggests


@register
def timm_gap(
    num_classes: int,
    *,
    name: str = "convnext_tiny",
    stage: int = -2,
    pool: Pool = "avg",
    width: int | None = 1024,
    dropout: float = 0.0,
    input_size: int | None = None,
) -> GapNet:
    """Cut a network of timm after a stage; the last but one often has maps of 14 x 14.

    Args:
        num_classes: of the data set.
        name: of the network, as in `timm.list_models()`.
        stage: counted from 0, or from the end if negative.
        pool: avg or max.
        width: of the added conv; None adds no conv.
        dropout: probability that a channel is dropped before pooling.
        input_size: a side of the images; None is the size that timm's weights expect.
    """
    config = timm_config(_checked(name))
    side = config.input_size[-1] if input_size is None else input_size
    trunk, channels = _cut(name, stage, side)
    facts = Facts.of(trunk, side, mean=config.mean, std=config.std)
    head = CamHead(channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    return GapNet(trunk, head, facts, Timm(name))


class Stage(nn.Module):
    """A part of a network of timm; returns maps in the layout (B, C, h, w)."""

    def __init__(self, features: nn.Module, *, channels_last: bool) -> None:
        """Wrap a part of a network that returns maps, or a list of maps."""
        super().__init__()
        self.features = features
        self.channels_last = channels_last

    def forward(self, images: Tensor) -> Tensor:
        """Return the maps, or the last of a list."""
        output = self.features(images)
        maps: Tensor = output[-1] if isinstance(output, list) else output
        return maps.permute(0, 3, 1, 2) if self.channels_last else maps


def _cut(name: str, stage: int, side: int) -> tuple[Stage, int]:
    """Cut at the module that ends a stage according to timm; return the trunk and its channels.

    If no single module ends it, as with the branches of HRNet, timm's feature extractor is used
    instead; it keeps some weights that the stage does not need.
    """
    network = timm.create_model(name, num_classes=0)
    info = _stage_info(network, name, stage)
    channels: int = info["num_chs"]
    try:
        trunk = Stage(cut(network, info["module"]), channels_last=_is_last(network))
        if feature_size(trunk, (side, side))[0] == channels:
            return trunk, channels
    except GapnetError as error:
        log.debug("%s", error)
    index = stage % info["count"]
    features = timm.create_model(name, features_only=True, out_indices=(index,))
    return Stage(features, channels_last=_is_last(features)), channels


def _checked(name: str) -> str:
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.partition('_')[0]}*")[:NEAR])
        hint = f"did you mean one of {near}?" if near else "see timm.list_models()"
        raise GapnetError(f"model.name={name}: timm has no such network; {hint}")
    return name


def _stage_info(network: nn.Module, name: str, stage: int) -> dict[str, Any]:
    """Return what timm knows of a stage: its channels, and the module that ends it."""
    feature_info = getattr(network, "feature_info", None)
    if not feature_info:
        raise GapnetError(
            f"model.name={name}: timm does not list its stages; choose another network"
        )
    stages = [feature_info[index] for index in range(len(feature_info))]
    if not -len(stages) <= stage < len(stages):
        listed = ", ".join(f"{index} ({item['module']})" for index, item in enumerate(stages))
        raise GapnetError(f"model.stage={stage}: must be a stage of {name}: {listed}")
    return {**stages[stage], "count": len(stages)}


def _is_last(features: nn.Module) -> bool:
    return getattr(features, "output_fmt", None) == Format.NHWC
