"""Pages to test: a small gallery of drawn images with random maps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gapnet.evaluation.confusions import ConfusedPair
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.report.gallery_data import Gallery, GallerySource
from gapnet.report.gallery_image import Explained, GalleryImage
from gapnet.report.page import Report, write_report

HOSTILE = "<img src=x onerror=document.title='run'>"
NAMES = [HOSTILE, "dog & cat", "fish", "bird", "cow", "sheep"]
SIZE = (96, 72)  # width and height of the images
KINDS = ["right", "part", "more", "several", "elsewhere"]


def metric(**changes: object) -> Metric:
    plain = {"metric": "gt_known_error", "value": 0.0625, "n": 1600, "low": 0.05, "high": 0.075}
    named = {
        "threshold": 0.2,
        "chosen_on": "fixed",
        "protocol": "ilsvrc",
        "data": "drawn",
        "split": "test",
        "rules": "",
    }
    return Metric(**{**plain, **named, **changes})


def random_maps(count: int, height: int, width: int, *, seed: int) -> Tensor:
    """Return maps (count, h, w), half of them with negative values."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(count, height, width, generator=generator) + 0.3
    maps[::2] = maps[::2].clamp(min=0)
    return maps


def explained(label: int, predicted: int, *, seed: int, boxed: bool) -> Explained:
    ranked = [predicted, *(index for index in range(len(NAMES)) if index != predicted)][:5]
    classes = list(dict.fromkeys([*ranked, label]))
    kind = "wrong_class" if predicted != label else KINDS[seed % 5] if boxed else "right"
    return Explained(
        ranked=ranked,
        scores=[0.05 + 0.9 * (seed % 10) / 10, 0.03, 0.01, 0.005, 0.001],
        classes=classes,
        maps=random_maps(len(classes), 6, 8, seed=seed),
        window=[0.0, 0.0, *SIZE],
        boxes={label: [8.0, 9.0, 40.0, 50.0]},
        kind=kind,
        overlap=(seed * 37 % 100) / 100 if boxed else None,
    )


def gallery_image(number: int, *, sources: int = 1, boxed: bool = True) -> GalleryImage:
    label, wrong = number % len(NAMES), number % 4 == 1
    predicted = (label + 1) % len(NAMES) if wrong else label
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    scored = explained(label, predicted, seed=number, boxed=boxed)
    views = [scored, *[replace(scored, kind=None, overlap=None)] * (sources - 1)]
    return GalleryImage(
        id=f"image{number}{HOSTILE}" if number == 0 else f"image{number}",
        picture=Image.fromarray(pixels).resize(SIZE, Image.Resampling.BICUBIC),
        size=SIZE,
        label=label,
        boxes=[[10.0, 10.0, 50.0, 60.0]] if boxed else [],
        explained=views,
    )


def gallery(count: int, sources: Sequence[str] = ("cam",), *, boxed: bool = True) -> Gallery:
    images = [gallery_image(each, sources=len(sources), boxed=boxed) for each in range(count)]
    made = [GallerySource.of(name, ThresholdBoxer()) for name in sources]
    return Gallery(images, made, Protocol(), NAMES)


def report(**changes: object) -> Report:
    classes = [
        ("class", "n", "top-1 error"),
        *((name, f"{number * 1000:,}", f"{number * 9}.0%") for number, name in enumerate(NAMES)),
    ]
    values: dict[str, object] = {
        "title": f"network on {HOSTILE}",
        "subject": {"data": HOSTILE},
        "facts": {"localizer": HOSTILE},
        "metrics": [metric()],
        "class_names": NAMES,
        "classes": classes,
        "confused": [(ConfusedPair(1, 2, [1, 7, 13]), ["image1", HOSTILE])],
        "config": f"seed: 0\nname: {HOSTILE}\n",
    }
    return Report(**{**values, **changes})


def written(folder: Path, **changes: object) -> Path:
    """Write a page; return its path."""
    path = folder / "report.html"
    write_report(report(**changes), path)
    return path
