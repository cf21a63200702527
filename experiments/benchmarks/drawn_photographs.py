"""JPEG files to time the reading of images on, drawn at random."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = (500, 375)  # (width, height), as most of ILSVRC
QUALITY = 90
SCALES = ((4, 55), (16, 35), (64, 20), (250, 14))  # (cells across, deviation) of the noise
CLASSES = ("a", "b")


def draw_photographs(root: Path, images: int) -> list[Path]:
    """Write files ROOT/CLASS/NAME.JPEG, and return their paths."""
    paths = []
    for number in range(images):
        path = root / CLASSES[number % len(CLASSES)] / f"{number:04}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_drawn(number)).save(path, quality=QUALITY)
        paths.append(path)
    return sorted(paths)


def _drawn(seed: int) -> NDArray[np.uint8]:
    """Draw noise of several scales, (H, W, 3), which has about as many bytes as a photograph."""
    rng = np.random.default_rng(seed)
    total = np.full((SIZE[1], SIZE[0], 3), 128.0)
    for across, deviation in SCALES:
        cells = rng.normal(128, deviation, (max(across * 3 // 4, 2), across, 3)).clip(0, 255)
        small = Image.fromarray(cells.astype(np.uint8))
        total += np.asarray(small.resize(SIZE, Image.Resampling.BICUBIC), float) - 128
    return total.clip(0, 255).astype(np.uint8)
