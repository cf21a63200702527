"""Any convolutional network of timm, cut where timm itself says that a stage ends."""

import logging
from typing import Any

import timm
from timm.layers.format import Format
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.registry import register
from gapnet.models.surgery import cut, feature_size
from gapnet.models.weights.published import Timm, timm_config

log = logging.getLogger(__name__)
NEAR = 5  # names that an error offers


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
    """Cut a network of timm after a stage; the last but one mostly has maps of 14 x 14.

    Args:
        num_classes: of the data set.
        name: of the network, of those in `timm.list_models()`.
        stage: counted from 0, or from the end if negative.
        pool: avg or max.
        width: of the added conv; without it the classes are read off the stage.
        dropout: of what is pooled.
        input_size: a side of the images; without it the one that timm's weights expect.
    """
    known = timm_config(_known(name))
    side = known.input_size[-1] if input_size is None else input_size
    trunk, channels = _cut(name, stage, side)
    facts = Facts.of(trunk, side, mean=known.mean, std=known.std)
    head = CamHead(channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    return GapNet(trunk, head, facts, Timm(name))


class Stage(nn.Module):
    """Give a stage's maps as (B, C, h, w), however timm gives them."""

    def __init__(self, features: nn.Module, *, channels_last: bool) -> None:
        """Wrap a part of a network that gives maps, or a list of which they are the last."""
        super().__init__()
        self.features = features
        self.channels_last = channels_last

    def forward(self, images: Tensor) -> Tensor:
        """Give the maps."""
        given = self.features(images)
        maps: Tensor = given[-1] if isinstance(given, list) else given
        return maps.permute(0, 3, 1, 2) if self.channels_last else maps


def _cut(name: str, stage: int, side: int) -> tuple[Stage, int]:
    """Cut at the module that timm says ends a stage; give its channels, too.

    Where no single module does, as between the branches of HRNet, timm's own extractor takes the
    place of the cut, and keeps some weights that the stage does not need.
    """
    whole = timm.create_model(name, num_classes=0)
    told = _told(whole, name, stage)
    channels: int = told["num_chs"]
    try:
        trunk = Stage(cut(whole, told["module"]), channels_last=_is_last(whole))
        if feature_size(trunk, (side, side))[0] == channels:
            return trunk, channels
    except GapnetError as error:
        log.debug("%s", error)
    place = stage % told["count"]
    features = timm.create_model(name, features_only=True, out_indices=(place,))
    return Stage(features, channels_last=_is_last(features)), channels


def _known(name: str) -> str:
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.partition('_')[0]}*")[:NEAR])
        hint = f"near are {near}" if near else "see timm.list_models()"
        raise GapnetError(f"model.name={name}: timm has no such network; {hint}")
    return name


def _told(whole: nn.Module, name: str, stage: int) -> dict[str, Any]:
    """Give what timm tells of a stage: its channels, and the module that ends it."""
    stages = getattr(whole, "feature_info", None)
    if not stages:
        raise GapnetError(f"model.name={name}: timm tells of no stages of it to cut at")
    every = [stages[place] for place in range(len(stages))]
    if not -len(every) <= stage < len(every):
        listed = ", ".join(f"{place} ({each['module']})" for place, each in enumerate(every))
        raise GapnetError(f"model.stage={stage}: {name} has {listed}")
    return {**every[stage], "count": len(every)}


def _is_last(features: nn.Module) -> bool:
    return getattr(features, "output_fmt", None) == Format.NHWC
