"""Pictures in any form, as RGB images of Pillow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from gapnet.data.loading.images import read_image
from gapnet.errors import GapnetError

Picture = str | Path | Image.Image | NDArray[np.generic] | Tensor
BYTES = 255
COLOURS = (1, 3)  # channels of a picture


def to_image(picture: Picture) -> Image.Image:
    """Return a picture as an RGB image; photographs are rotated by their EXIF orientation.

    Arrays are (H, W) or (H, W, 3), tensors (3, H, W) or (1, H, W); bytes, or floats in 0..1.
    """
    if isinstance(picture, str | Path):
        if not Path(picture).is_file():
            raise GapnetError(f"{picture}: no such image")
        return read_image(Path(picture), exif=True)
    if isinstance(picture, Image.Image):
        return ImageOps.exif_transpose(picture).convert("RGB")
    if isinstance(picture, Tensor):
        if picture.ndim != 3 or picture.shape[0] not in COLOURS:  # noqa: PLR2004
            raise GapnetError(f"image of shape {tuple(picture.shape)}: must be (3, H, W)")
        picture = picture.detach().cpu().permute(1, 2, 0).numpy()
    return _from_array(np.asarray(picture))


def _from_array(array: NDArray[np.generic]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):  # noqa: PLR2004
        raise GapnetError(f"image of shape {array.shape}: must be (H, W) or (H, W, 3)")
    if array.dtype != np.uint8:
        values = array.astype(np.float64)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise GapnetError(f"image of {array.dtype}: must be bytes, or floats from 0 to 1")
        array = (values * BYTES).round().astype(np.uint8)
    return Image.fromarray(array).convert("RGB")
