"""Sparse scenes of the stand-in data set: small objects of flat colours on clouds.

A class is a silhouette, a texture and a small part. Everything else in a scene (how many objects,
where, how large, which colours, what lies around them) is drawn before the class is used, so none
of it depends on the class.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.data.sources.shapes.painting import Canvas, Placed, paint
from gapnet.data.sources.shapes.traits import (
    SILHOUETTES,
    SQUARE,
    TEXTURES,
    Array,
    class_traits,
    radial,
)

Rng = np.random.Generator

SIDE = (0.20, 0.75)  # an object's sides, as a share of the image's shorter one
SQUEEZE = (0.75, 1.0)  # an object's shorter side, as a share of its longer one
INSTANCES = (0.80, 0.15, 0.05)  # how often a scene holds one, two and three objects of its class
TRIES = 20  # to find places for them
MAX_OVERLAP = 0.05  # of two objects' boxes, as a share of the smaller one
CONTRAST = 0.35  # in brightness, between the two colours of a texture
TILT = 15.0  # degrees, either way
PERIOD = (0.05, 0.06)  # of a texture: shares of the image's shorter and of the object's longer side
PERIOD_SPREAD = (0.9, 1.1)
PART_SIDE = 0.24  # of the small distinctive part, as a share of the object's sides
PART_PLACE = (0.4, 0.6)  # of its centre, as a share of the object's sides
DISTRACTORS = (2, 6)  # in a scene, at least and less than
GRAIN = 0.02  # standard deviation of the noise
CLOUDS = ((2, 0.5), (6, 0.25), (24, 0.15))  # of the ground: cells a side, and weight
GROUND = 0.05  # brightness under the clouds


class DrawnObject(NamedTuple):
    """Properties of an object that do not depend on its class.

    The box is x, y, width, height in pixels; of the colours (3, 3) two are the texture's and one
    is the part's; the part's centre is in shares of the box's sides.
    """

    box: tuple[int, int, int, int]
    tilt: float
    period: float
    phase: tuple[float, float]
    colours: NDArray[np.float32]
    part: tuple[float, float]


def draw_scene(
    seed: np.random.SeedSequence, class_index: int, *, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw a scene of `size` (height, width): RGB image, and inclusive boxes (n, 4)."""
    rng = np.random.default_rng(seed)
    canvas = _ground(rng, size)
    objects = _random_objects(rng, size)
    for _ in range(rng.integers(*DISTRACTORS)):
        _draw_distractor(canvas, rng)
    noise = rng.normal(0, GRAIN, canvas.shape)
    boxes = [_draw_object(canvas, drawn, class_index) for drawn in objects]
    image = ((canvas + noise).clip(0, 1) * 255).round().astype(np.uint8)
    return image, np.array(boxes, dtype=np.int64)


def placed_objects(seed: np.random.SeedSequence, *, size: tuple[int, int]) -> list[Placed]:
    """Return where the objects of a scene are; later ones lie in front."""
    rng = np.random.default_rng(seed)
    _ground(rng, size)
    objects = _random_objects(rng, size)
    return [Placed(drawn.box, drawn.tilt, _part_box(drawn)) for drawn in objects]


def _random_objects(rng: Rng, size: tuple[int, int]) -> list[DrawnObject]:
    """Place one to three objects that hardly overlap; one without a free place is left out."""
    count = 1 + int(rng.choice(len(INSTANCES), p=INSTANCES))
    objects: list[DrawnObject] = []
    for _ in range(TRIES):
        drawn = _random_object(rng, size)
        if all(_overlap(drawn.box, other.box) <= MAX_OVERLAP for other in objects):
            objects.append(drawn)
        if len(objects) == count:
            break
    return objects


def _random_object(rng: Rng, size: tuple[int, int]) -> DrawnObject:
    short = min(size)
    longer = rng.uniform(*SIDE) * short
    shorter = max(longer * rng.uniform(*SQUEEZE), SIDE[0] * short)
    sides = np.array([longer, shorter])[rng.permutation(2)].round().astype(int)
    width, height = int(sides[0]), int(sides[1])
    x, y = int(rng.integers(0, size[1] - width + 1)), int(rng.integers(0, size[0] - height + 1))
    return DrawnObject(
        box=(x, y, width, height),
        tilt=float(rng.uniform(-TILT, TILT)),
        period=float(rng.uniform(*PERIOD_SPREAD)) * (PERIOD[0] * short + PERIOD[1] * longer),
        phase=(float(rng.random()), float(rng.random())),
        colours=_colours(rng),
        part=(float(rng.uniform(*PART_PLACE)), float(rng.uniform(*PART_PLACE))),
    )


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) / min(a[2] * a[3], b[2] * b[3])


def _colours(rng: Rng) -> NDArray[np.float32]:
    """Draw three colours (3, 3): two of the texture, of unlike brightness, and one of the part."""
    while True:
        colours = rng.random((3, 3)).astype(np.float32)
        if abs(colours[0].mean() - colours[1].mean()) > CONTRAST:
            return colours


def _draw_object(canvas: Canvas, drawn: DrawnObject, class_index: int) -> tuple[int, int, int, int]:
    """Draw an object of a class in its box, and return that box as inclusive corners."""
    silhouette, texture, part = class_traits(class_index)
    x, y, width, height = drawn.box
    view = canvas[y : y + height, x : x + width]
    rows, columns = np.mgrid[:height, :width]
    cos, sin = np.cos(np.radians(drawn.tilt)), np.sin(np.radians(drawn.tilt))
    u = (cos * columns + sin * rows) / drawn.period + drawn.phase[0]
    v = (cos * rows - sin * columns) / drawn.period + drawn.phase[1]
    first, second, third = drawn.colours
    skin = np.where(TEXTURES[texture].pattern(u, v)[..., None], second, first)
    paint(view, SILHOUETTES[silhouette].polygon, drawn.tilt, (0, 0, width, height), skin)
    paint(view, SILHOUETTES[part].polygon, drawn.tilt, _part_box(drawn), third)
    return x, y, x + width - 1, y + height - 1


def _part_box(drawn: DrawnObject) -> tuple[float, float, float, float]:
    _, _, width, height = drawn.box
    sides = PART_SIDE * width, PART_SIDE * height
    corner = drawn.part[0] * width - sides[0] / 2, drawn.part[1] * height - sides[1] / 2
    return (*corner, *sides)


def _draw_distractor(canvas: Canvas, rng: Rng) -> None:
    """Draw an object of no class: a shaded blob, bar or splinter."""
    height, width = canvas.shape[:2]
    short = min(height, width)
    colour, other = rng.random((2, 3)).astype(np.float32)
    centre = rng.random(2) * (width, height)
    wobble = rng.normal(0, 0.25, 4)
    splinter = rng.normal(size=(4, 2))
    shapes = (
        (_blob(wobble), rng.uniform(0.08, 0.4, 2)),
        (SQUARE, rng.uniform((0.02, 0.2), (0.06, 0.6))),
        (splinter, rng.uniform(0.1, 0.35, 2)),
    )
    shape, shares = shapes[rng.integers(len(shapes))]
    sides = shares * short
    x, y = centre - sides / 2
    slope = np.linspace(0, 0.6, width, dtype=np.float32)[None, :, None]
    box = (float(x), float(y), float(sides[0]), float(sides[1]))
    paint(canvas, shape, float(rng.uniform(0, 360)), box, colour + slope * (other - colour))


def _blob(wobble: Array) -> Array:
    a, b, c, d = wobble
    return radial(lambda t: 1 + a * np.cos(2 * t) + b * np.sin(t) + c * np.cos(3 * t + d))


def _ground(rng: Rng, size: tuple[int, int]) -> Canvas:
    """Draw clouds of three sizes, in random colours."""
    canvas: Canvas = np.full((*size, 3), GROUND, dtype=np.float32)
    for cells, weight in CLOUDS:
        noise = rng.random((cells, cells, 3)).astype(np.float32)
        canvas += weight * cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return canvas
