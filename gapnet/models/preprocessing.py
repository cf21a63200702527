"""How images are prepared for published weights: size, normalisation, interpolation and crop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import timm
import torchvision
from timm.models import PretrainedCfg
from torch import nn

from gapnet.errors import GapnetError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
SIDE = 224  # of the images of networks that do not say it
CROP = 224 / 256  # as usual for ILSVRC
RECIPE = (
    "IMAGENET1K_V1"  # the older recipe, as in the paper; DEFAULT is a newer one for some networks
)


@dataclass(frozen=True)
class Preprocessing:
    """Preparation of images for a network.

    Args:
        input_size: (height, width), in pixels.
        mean: per channel, of pixels in 0..1.
        std: per channel, of pixels in 0..1.
        interpolation: of the resizing: bilinear, bicubic, ...
        crop: side of the central part that the weights were evaluated on, divided by the shorter
            side of the resized image.
        squash: whether that resizing ignores the aspect.
    """

    input_size: tuple[int, int] = (SIDE, SIDE)
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    interpolation: str = "bilinear"
    crop: float = CROP
    squash: bool = False


def prepared(
    module: nn.Module,
    *,
    input_size: int | tuple[int, int] | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> Preprocessing:
    """Return how images are prepared for a module; values that are None are the module's own."""
    own = of_module(module)
    size = (input_size, input_size) if isinstance(input_size, int) else input_size
    return replace(
        own,
        input_size=size or own.input_size,
        mean=own.mean if mean is None else tuple(mean),
        std=own.std if std is None else tuple(std),
    )


def of_module(module: nn.Module) -> Preprocessing:
    """Return the preparation for a module of timm; for others, the usual one for ILSVRC."""
    config = getattr(module, "pretrained_cfg", None)
    known = isinstance(config, Mapping) and {"input_size", "mean", "std"} <= set(config)
    return of_timm(config) if known else Preprocessing()  # type: ignore[arg-type]


def of_timm(config: Mapping[str, Any]) -> Preprocessing:
    """Return the preparation in a configuration of timm's weights."""
    _, height, width = config["input_size"]
    interpolation = config.get("interpolation") or "bicubic"
    return Preprocessing(
        (height, width),
        tuple(config["mean"]),
        tuple(config["std"]),
        interpolation="bilinear" if interpolation == "random" else interpolation,
        crop=config.get("crop_pct") or CROP,
        squash=config.get("crop_mode") == "squash",
    )


def of_torchvision(architecture: str) -> Preprocessing:
    """Return the preparation that torchvision uses for a network's weights."""
    transform = torchvision_weights(architecture).transforms()
    (side,), (resized,) = transform.crop_size, transform.resize_size
    return Preprocessing(
        (side, side),
        tuple(transform.mean),
        tuple(transform.std),
        interpolation=transform.interpolation.value,
        crop=side / resized,
    )


def torchvision_weights(architecture: str) -> torchvision.models.WeightsEnum:
    """Return torchvision's weights NAME.TAG; without a tag those of the older recipe, or the first.

    A tag is a name such as IMAGENET1K_V2.
    """
    base, _, tag = architecture.partition(".")
    weights = torchvision.models.get_model_weights(base)
    known = {entry.name: entry for entry in weights}
    if tag and tag not in known:
        raise GapnetError(
            f"model.name=torchvision/{architecture}: has no such weights; choose one of "
            f"{', '.join(known)}"
        )
    return known[tag] if tag else known.get(RECIPE, next(iter(weights)))


def timm_config(architecture: str) -> PretrainedCfg:
    """Return timm's facts about a network NAME or NAME.TAG, also if it has no weights."""
    try:
        config = timm.get_pretrained_cfg(architecture)
    except RuntimeError as error:
        raise GapnetError(f"model.name=timm/{architecture}: {error}; leave out the tag") from error
    assert config is not None, f"timm has no {architecture}"
    return config
