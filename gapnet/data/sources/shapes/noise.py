"""Random fields with the amplitude spectrum of natural images, 1/f."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.data.sources.shapes.painting import Canvas

MEAN = (0.25, 0.75)  # brightness
HUE = 0.2  # most that a channel's mean differs from the brightness
BRIGHTNESS = (0.05, 0.14)  # standard deviation of the brightness
CHROMA = 0.35  # deviation of a channel from the brightness, as a share of the brightness's
COARSE = 2  # colour has a resolution that is lower by this factor than that of the brightness

Fields = NDArray[np.float32]  # (n, height, width)


def fields(rng: np.random.Generator, count: int, size: tuple[int, int]) -> Fields:
    """Draw fields (count, height, width) with mean 0 and standard deviation 1.

    The real and the imaginary part of a field with a complex spectrum are two independent fields.
    """
    height, width = (cv2.getOptimalDFTSize(side) for side in size)
    noise = rng.random((-(-count // 2), height, width, 2), dtype=np.float32) - np.float32(0.5)
    spectrum = noise.view(np.complex64)[..., 0] * _amplitude(height, width)
    pairs = np.fft.ifft2(spectrum).astype(np.complex64)[:, : size[0], : size[1]]
    values = np.stack([pairs.real, pairs.imag], axis=1).reshape(-1, *size)[:count]
    values -= values.mean((1, 2), keepdims=True)
    deviation = values.std((1, 2), keepdims=True)
    normalised: Fields = (values / np.where(deviation, deviation, 1)).astype(np.float32)
    return normalised


@lru_cache(maxsize=64)
def _amplitude(height: int, width: int) -> Fields:
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    frequency[0, 0] = np.inf  # the mean is 0
    amplitude: Fields = (1 / frequency).astype(np.float32)
    return amplitude


def surface(rng: np.random.Generator, size: tuple[int, int]) -> Canvas:
    """Draw a coloured surface of `size` (height, width): its colours vary most in brightness."""
    deviation = rng.uniform(*BRIGHTNESS)
    mean = rng.uniform(*MEAN) + rng.uniform(-HUE, HUE, size=3)
    brightness = fields(rng, 1, size)[0, ..., None]
    coarse = (-(-size[0] // COARSE), -(-size[1] // COARSE))
    cells = fields(rng, 3, coarse).transpose(1, 2, 0)
    chroma = cv2.resize(cells, size[::-1], interpolation=cv2.INTER_LINEAR)
    surface: Canvas = (mean + deviation * (brightness + CHROMA * chroma)).astype(np.float32)
    return surface
