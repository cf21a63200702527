"""Any convolutional network of timm, cut where timm itself says that a stage ends."""

import timm
from torch import nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.published import Timm, timm_config
from gapnet.models.registry import register
from gapnet.models.surgery import cut, feature_size

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
    whole = _whole(name)
    at, channels = _stage(whole, name, stage)
    trunk = cut(whole, at)
    known = timm_config(name)
    side = input_size or known.input_size[-1]
    facts = Facts.of(trunk, side, mean=known.mean, std=known.std)
    if feature_size(trunk, (side, side))[0] != channels:
        raise GapnetError(f"model.name={name}: its stages are no maps (B, {channels}, h, w)")
    head = CamHead(channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    return GapNet(trunk, head, facts, Timm(name))


def _whole(name: str) -> nn.Module:
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.partition('_')[0]}*")[:NEAR])
        hint = f"near are {near}" if near else "see timm.list_models()"
        raise GapnetError(f"model.name={name}: timm has no such network; {hint}")
    whole: nn.Module = timm.create_model(name, num_classes=0)
    return whole


def _stage(whole: nn.Module, name: str, stage: int) -> tuple[str, int]:
    """Find the module that ends a stage, and its channels, in what timm tells of its features."""
    stages = getattr(whole, "feature_info", None)
    if not stages:
        raise GapnetError(f"model.name={name}: timm tells no stages of it to cut at")
    told = [stages[index] for index in range(len(stages))]
    if not -len(told) <= stage < len(told):
        every = ", ".join(f"{place} ({each['module']})" for place, each in enumerate(told))
        raise GapnetError(f"model.stage={stage}: {name} has {every}")
    return told[stage]["module"], told[stage]["num_chs"]
