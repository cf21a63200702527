"""Reads the config.json that timm writes next to the weights of a network."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm

from gapnet.errors import reading
from gapnet.models.weights.hub import DESCRIPTION

RGB = 3
MOST_CLASSES, LARGEST_SIDE = 100_000, 1024  # the file is not trusted
HUB_NAMES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth")


@dataclass(frozen=True)
class TimmFolder:
    """What timm says of weights.

    Args:
        architecture: of the network, without a tag.
        num_classes: of the weights.
        input_size: a side of the images; None is that of the architecture.
        mean: per channel; None is that of the architecture.
        std: per channel; None is that of the architecture.
        classes: ids, in order; None if the file has none.
        class_names: of these ids; None if the file has none.
        changed: arguments with which the network was built, besides the name.
    """

    architecture: str
    num_classes: int | None
    input_size: int | None
    mean: list[float] | None
    std: list[float] | None
    classes: list[str] | None
    class_names: list[str] | None
    changed: tuple[str, ...]


def read_timm_folder(file: Path) -> TimmFolder | None:
    """Return what the config.json next to weights says, if timm wrote it."""
    config = file.with_name(DESCRIPTION)
    if file.name not in HUB_NAMES or not config.is_file():
        return None
    with reading(config, "is not the description of a network"):
        values = json.loads(config.read_text(encoding="utf-8"))
        name = values.get("architecture") if isinstance(values, dict) else None
        if not isinstance(name, str) or not timm.is_model(name):
            return None
        return _checked(name, values)


def _checked(name: str, values: Mapping[str, Any]) -> TimmFolder:
    own = values.get("pretrained_cfg") or {}
    classes = values.get("label_names") or own.get("label_names")
    described = values.get("label_descriptions") or own.get("label_descriptions") or {}
    ids = [str(item) for item in classes] if isinstance(classes, list) else None
    size = own.get("input_size")
    return TimmFolder(
        name,
        _whole(values.get("num_classes") or own.get("num_classes"), most=MOST_CLASSES),
        None if size is None else _whole(size[-1], most=LARGEST_SIDE),
        _numbers(own.get("mean"), above=-math.inf),
        _numbers(own.get("std"), above=0),
        ids,
        None if ids is None else [str(described.get(item, item)) for item in ids],
        tuple(map(str, values.get("model_args") or ())),
    )


def _whole(value: object, *, most: int) -> int | None:
    if value is None or (isinstance(value, int) and 0 < value <= most):
        return value
    raise ValueError(f"{value!r} must be an integer >= 1 and <= {most}")


def _numbers(values: Sequence[float] | None, *, above: float) -> list[float] | None:
    if values is None:
        return None
    numbers = [float(value) for value in values]
    if len(numbers) == RGB and all(above < value < math.inf for value in numbers):
        return numbers
    raise ValueError(f"{numbers} must be {RGB} finite numbers > {above}")
