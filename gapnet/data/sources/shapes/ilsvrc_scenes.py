"""Scenes of the stand-in data set whose boxes have the statistics of ILSVRC's.

Background, objects and clutter (objects of no class) have surfaces with the spectrum of natural
images, in colours from one distribution, so that colour alone separates nothing. A class is a
silhouette, a texture and a small part. The texture is clearer in some places of an object than in
others; the part is always visible. Everything else is drawn before the class is used, so none of it
depends on the class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnet.data.sources.shapes.box_statistics import random_boxes, random_size, to_pixels
from gapnet.data.sources.shapes.noise import fields, surface
from gapnet.data.sources.shapes.painting import Canvas, Placed, paint
from gapnet.data.sources.shapes.traits import SILHOUETTES, TEXTURES, Array, class_traits, radial

Rng = np.random.Generator

SMALLEST = 6  # pixels of an object's side
TILT = 15.0  # degrees, either way
PERIOD = (0.05, 0.045)  # of a texture: shares of the image's and of the object's size
PERIOD_SPREAD = (0.9, 1.1)
LEAST_PERIOD = 4.0  # pixels
STRENGTH = (0.25, 0.40)  # of a texture, in brightness
TINT = 0.025  # standard deviation over the channels of that strength
PATCHES = 1.0  # how sharply a texture changes between visible and invisible over an object
SHADE = 0.15  # change of brightness from one side of an object to the other
PART_SIDE = (0.28, 0.38)  # of the part, as a share of the object's sides
PART_PLACE = (0.35, 0.65)  # of its centre, as a share of the object's sides
PART_CONTRAST = 0.3  # in brightness, between the part and the surface around it
CLUTTER = (2, 6)  # objects of no class, at least and less than
GREY = 0.5  # brightness halfway between black and white
GRAIN = 0.02  # standard deviation of the noise


@dataclass(frozen=True)
class Appearance:
    """Properties of an object that do not depend on its class.

    Args:
        box: x, y, width and height, in pixels.
        tilt: of the silhouette, in degrees.
        period: of the texture, in pixels.
        phase: of the texture, (2,), in periods.
        skin: surface without the texture, (height, width, 3).
        pattern: change of colour where the texture is, (height, width, 3).
        part_skin: surface of the part, (height, width, 3).
        part_place: centre of the part, (2,), in shares of the box's sides.
        part_side: of the part, as a share of the box's sides.
    """

    box: tuple[int, int, int, int]
    tilt: float
    period: float
    phase: Array
    skin: Canvas
    pattern: Canvas
    part_skin: Canvas
    part_place: Array
    part_side: float


def draw_scene(
    seed: np.random.SeedSequence, class_index: int, *, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw a scene of `size` (height, width): RGB image, and inclusive boxes (n, 4)."""
    rng = np.random.default_rng(seed)
    canvas, appearances = _random_scene(rng, size)
    grain = rng.normal(0, GRAIN, canvas.shape)
    for appearance in appearances:  # small objects lie in front of large ones
        _draw_object(canvas, appearance, class_index)
    image = ((canvas + grain).clip(0, 1) * 255).round().astype(np.uint8)
    boxes = np.array([appearance.box for appearance in appearances])
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:] - 1], axis=1)
    return image, corners


def placed_objects(seed: np.random.SeedSequence, *, size: tuple[int, int]) -> list[Placed]:
    """Return where the objects of a scene are; later ones lie in front."""
    _, appearances = _random_scene(np.random.default_rng(seed), size)
    return [Placed(drawn.box, drawn.tilt, _part_box(drawn)) for drawn in appearances]


def _random_scene(rng: Rng, size: tuple[int, int]) -> tuple[Canvas, list[Appearance]]:
    """Return the ground with clutter, and the objects to draw on it."""
    canvas = surface(rng, size)
    boxes = to_pixels(random_boxes(rng), size, least=SMALLEST)
    for _ in range(rng.integers(*CLUTTER)):
        _draw_clutter(canvas, rng)
    return canvas, [_random_appearance(rng, box, min(size)) for box in boxes]


def _random_appearance(rng: Rng, box: NDArray[np.int64], shorter: int) -> Appearance:
    """Draw the appearance of an object in an image with a shorter side of `shorter` pixels."""
    x, y, width, height = map(int, box)
    size = (height, width)
    skin = surface(rng, size) + _shade(rng, size)
    strength = rng.uniform(*STRENGTH) + rng.normal(0, TINT, size=3)
    visible = 1 / (1 + np.exp(-PATCHES * fields(rng, 1, size)[0]))  # 0..1
    return Appearance(
        box=(x, y, width, height),
        tilt=float(rng.uniform(-TILT, TILT)),
        period=_random_period(rng, shorter, size),
        phase=rng.random(2),
        skin=skin.astype(np.float32),
        pattern=(visible[..., None] * strength).astype(np.float32),
        part_skin=_part_skin(rng, skin),
        part_place=rng.uniform(*PART_PLACE, size=2),
        part_side=float(rng.uniform(*PART_SIDE)),
    )


def _random_period(rng: Rng, shorter: int, size: tuple[int, int]) -> float:
    """Draw the period of a texture; large objects have only slightly coarser textures."""
    period = PERIOD[0] * shorter + PERIOD[1] * float(np.sqrt(size[0] * size[1]))
    return max(LEAST_PERIOD, float(rng.uniform(*PERIOD_SPREAD)) * period)


def _part_skin(rng: Rng, skin: Canvas) -> Canvas:
    """Draw the surface of a part: brighter than a dark skin, darker than a bright one."""
    part_skin = surface(rng, (skin.shape[0], skin.shape[1]))
    contrast = PART_CONTRAST if skin.mean() < GREY else -PART_CONTRAST
    shifted: Canvas = part_skin + np.float32(skin.mean() + contrast - part_skin.mean())
    return shifted


def _shade(rng: Rng, size: tuple[int, int]) -> Canvas:
    """Return a ramp of brightness in a random direction, (height, width, 1)."""
    angle = rng.uniform(0, 2 * np.pi)
    rows = np.linspace(-1, 1, size[0])[:, None] * np.sin(angle)
    columns = np.linspace(-1, 1, size[1]) * np.cos(angle)
    ramp: Canvas = (SHADE / 2 * (rows + columns))[..., None].astype(np.float32)
    return ramp


def _draw_object(canvas: Canvas, appearance: Appearance, class_index: int) -> None:
    silhouette, texture, part = class_traits(class_index)
    x, y, width, height = appearance.box
    view = canvas[y : y + height, x : x + width]
    paint(
        view,
        SILHOUETTES[silhouette].polygon,
        appearance.tilt,
        (0, 0, width, height),
        _textured(appearance, texture),
    )
    part_box = _part_box(appearance)
    paint(view, SILHOUETTES[part].polygon, appearance.tilt, part_box, appearance.part_skin)


def _part_box(appearance: Appearance) -> tuple[float, float, float, float]:
    _, _, width, height = appearance.box
    sides = appearance.part_side * np.array([width, height])
    corner = appearance.part_place * (width, height) - sides / 2
    return float(corner[0]), float(corner[1]), float(sides[0]), float(sides[1])


def _textured(appearance: Appearance, texture: int) -> Canvas:
    """Return the skin with a texture, (height, width, 3)."""
    rows, columns = np.mgrid[: appearance.skin.shape[0], : appearance.skin.shape[1]]
    cos, sin = np.cos(np.radians(appearance.tilt)), np.sin(np.radians(appearance.tilt))
    u = (cos * columns + sin * rows) / appearance.period + appearance.phase[0]
    v = (cos * rows - sin * columns) / appearance.period + appearance.phase[1]
    signs = np.where(TEXTURES[texture].pattern(u, v)[..., None], 1, -1)
    return (appearance.skin + signs * appearance.pattern).astype(np.float32)


def _draw_clutter(canvas: Canvas, rng: Rng) -> None:
    """Draw an object of no class, of a size that objects have; a part may lie outside."""
    image = np.array([canvas.shape[1], canvas.shape[0]])
    sides = random_size(rng, alone=False) * image
    corner = rng.random(2) * image - sides / 2
    low = np.floor(corner).clip(0).astype(int)
    high = np.ceil(corner + sides).clip(None, image).astype(int)
    view = canvas[low[1] : high[1], low[0] : high[0]]
    wobble = rng.normal(0, (0.25, 0.25, 0.15, 0.1))
    turn = rng.uniform(0, 2 * np.pi, 4)
    orders = np.arange(1, 5)[:, None]
    outline = radial(lambda angle: 1 + wobble @ np.cos(orders * angle + turn[:, None]))
    skin = surface(rng, (view.shape[0], view.shape[1]))
    start = corner - low
    box = (float(start[0]), float(start[1]), float(sides[0]), float(sides[1]))
    paint(view, outline, float(rng.uniform(0, 360)), box, skin)
