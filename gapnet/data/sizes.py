"""Sizes of image files, from their headers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.progress import track

THREADS = 16  # a file system answers many at once


def read_sizes(paths: Sequence[Path]) -> Tensor:
    """Read (height, width) of files, (N, 2), without decoding them."""
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = list(track(pool.map(_size, paths), "reading sizes", total=len(paths)))
    return torch.tensor(sizes).view(-1, 2)


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except FileNotFoundError as error:
        raise GapnetError(
            f"{path}: no such image; its size is needed to score boxes of other tools"
        ) from error
    except OSError as error:
        raise GapnetError(f"{path}: cannot be read as an image ({error})") from error
