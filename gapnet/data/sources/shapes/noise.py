"""Random fields with the amplitude spectrum of natural images, 1/f."""

import numpy as np

from gapnet.data.sources.shapes.painting import Canvas
from gapnet.data.sources.shapes.traits import Array

MEAN = (0.25, 0.75)  # brightness
HUE = 0.2  # most that a channel's mean differs from the brightness
BRIGHTNESS = (0.08, 0.22)  # standard deviation of the brightness
CHROMA = 0.35  # deviation of a channel from the brightness, as a share of the brightness's


def field(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """Draw a field of `size` (height, width) with mean 0 and standard deviation 1."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf  # the mean is 0
    spectrum = np.fft.rfft2(rng.normal(size=size)) / frequency
    values: Array = np.fft.irfft2(spectrum, s=size)
    deviation = values.std()
    return values / deviation if deviation else values


def surface(rng: np.random.Generator, size: tuple[int, int]) -> Canvas:
    """Draw a coloured surface of `size` (height, width): its colours vary most in brightness."""
    deviation = rng.uniform(*BRIGHTNESS)
    brightness = field(rng, size)[..., None]
    chroma = np.stack([field(rng, size) for _ in range(3)], axis=-1)
    mean = rng.uniform(*MEAN) + rng.uniform(-HUE, HUE, size=3)
    values = mean + deviation * (brightness + CHROMA * chroma)
    return values.astype(np.float32)
