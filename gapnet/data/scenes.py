"""Scenes of the stand-in data set: one image and the boxes of its objects, drawn from a seed.

A class is a silhouette, a texture and a small part. Everything else in a scene (how many objects, where, how large,
which colours, what lies around them) is drawn before the class is looked at, so none of it can tell the class.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Rng = np.random.Generator

SUPERSAMPLING = 2  # shapes are drawn at twice the size and averaged down, for smooth edges
SIDE = (0.20, 0.75)  # an object's sides, as a share of the image's shorter one
SQUEEZE = (0.75, 1.0)  # an object's shorter side, as a share of its longer one
CONTRAST = 0.35  # in brightness, between the two colours of a texture
TILT = 15.0  # degrees, either way
PERIOD = (
    0.05,
    0.06,
)  # of a texture: a share of the image's shorter side, plus a share of the object's longer one
PERIOD_SPREAD = (0.9, 1.1)
INSTANCES = (0.80, 0.15, 0.05)  # how often a scene holds one, two and three objects of its class
MAX_OVERLAP = 0.05  # of two objects' boxes, as a share of the smaller one
PART_SIDE = 0.24  # of the small distinctive part, as a share of the object's sides


class Silhouette(NamedTuple):
    """Name a polygon (points, 2) of any size; drawing stretches it to the object's box."""

    name: str
    polygon: NDArray[np.float64]


class Texture(NamedTuple):
    """Name a pattern: from coordinates in periods to where the second colour is."""

    name: str
    pattern: Callable[[Array, Array], NDArray[np.bool_]]


class Layout(NamedTuple):
    """Hold what is drawn of an object before its class is known: box x, y, width, height in pixels, and its looks."""

    box: tuple[int, int, int, int]
    tilt: float
    period: float
    phase: tuple[float, float]
    colours: Array  # (3, 3): two of the texture, one of the part
    part: tuple[float, float]  # centre in the object's box, as shares of its sides


def draw_scene(
    seed: np.random.SeedSequence, class_index: int, *, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw a scene of `size` (height, width): its RGB image, and the inclusive boxes (n, 4) of its objects."""
    rng = np.random.default_rng(seed)
    canvas = _background(rng, size)
    layouts = _layouts(rng, size)
    for _ in range(rng.integers(2, 6)):
        _distract(canvas, rng)
    boxes = [_draw_object(canvas, layout, class_index) for layout in layouts]
    noisy = canvas + rng.normal(0, 0.02, canvas.shape)
    return (noisy.clip(0, 1) * 255).round().astype(np.uint8), np.array(boxes, dtype=np.int64)


def _radial(radius: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return radius(angle)[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1)


def _star(points: int, inner: float) -> NDArray[np.float64]:
    angle = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    return radius[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1)


def _quarter_turns(*points: tuple[float, float]) -> list[tuple[float, float]]:
    turns = ((1, 0), (0, 1), (-1, 0), (0, -1))
    return [(cos * x - sin * y, sin * x + cos * y) for cos, sin in turns for x, y in points]


def _polygon(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, dtype=np.float64)


SILHOUETTES: tuple[Silhouette, ...] = (
    Silhouette("disc", _radial(np.ones_like)),
    Silhouette("square", _polygon((-1, -1), (1, -1), (1, 1), (-1, 1))),
    Silhouette("triangle", _polygon((0, -1), (1, 1), (-1, 1))),
    Silhouette("star", _star(5, 0.5)),
    Silhouette("cross", _polygon(*_quarter_turns((-1, -3), (1, -3), (1, -1)))),
    Silhouette("flower", _radial(lambda a: 1 + 0.28 * np.cos(5 * a))),
    Silhouette("hexagon", _star(3, 1.0)),
    Silhouette("hourglass", _polygon((-1, -1), (1, -1), (0.45, 0), (1, 1), (-1, 1), (-0.45, 0))),
    Silhouette("diamond", _polygon((0, -1), (1, 0), (0, 1), (-1, 0))),
    Silhouette(
        "arrow", _polygon((0, -1), (1, 0), (0.5, 0), (0.5, 1), (-0.5, 1), (-0.5, 0), (-1, 0))
    ),
    Silhouette("cog", _star(9, 0.72)),
    Silhouette("bucket", _polygon((-0.5, -1), (0.5, -1), (1, 1), (-1, 1))),
)


def _saw(t: Array) -> Array:
    return np.abs(t - np.floor(t) - 0.5) * 2


def _cell(t: Array) -> Array:
    return t - np.floor(t) - 0.5


def _bricks(u: Array, v: Array) -> NDArray[np.bool_]:
    joint = _saw(u * 0.5 + 0.5 * (np.floor(v) % 2)) * 2
    return np.minimum(_saw(v), joint) < 0.3


def _weave(u: Array, v: Array) -> NDArray[np.bool_]:
    across = (np.floor(u * 0.5) + np.floor(v * 0.5)) % 2 == 0
    return np.where(across, _saw(v), _saw(u)) > 0.5


TEXTURES: tuple[Texture, ...] = (
    Texture("striped", lambda u, v: _saw(v) > 0.5),
    Texture("pillared", lambda u, v: _saw(u) > 0.5),
    Texture("slanted", lambda u, v: _saw((u + v) * 0.7) > 0.5),
    Texture("checked", lambda u, v: (_saw(u) > 0.5) != (_saw(v) > 0.5)),
    Texture("dotted", lambda u, v: np.hypot(_cell(u), _cell(v)) < 0.38),
    Texture("woven", _weave),
    Texture("zigzag", lambda u, v: _saw(v + 0.9 * _saw(u * 0.6)) > 0.5),
    Texture("ringed", lambda u, v: np.abs(np.hypot(_cell(u * 0.75), _cell(v * 0.75)) - 0.3) < 0.12),
    Texture("bricked", _bricks),
    Texture("toothed", lambda u, v: np.abs(_cell(u * 0.9)) * 2 < v * 0.9 - np.floor(v * 0.9)),
    Texture("hatched", lambda u, v: np.minimum(_saw((u + v) * 0.6), _saw((u - v) * 0.6)) < 0.3),
    Texture(
        "scaled", lambda u, v: np.hypot(_cell(u + 0.5 * (np.floor(v) % 2)), v - np.floor(v)) < 0.5
    ),
)
CLASSES = len(SILHOUETTES) * len(TEXTURES)


def class_traits(class_index: int) -> tuple[int, int, int]:
    """Give the silhouette, texture and part of a class: all differ among the first twelve classes, no two share all."""
    turn, silhouette = divmod(class_index, len(SILHOUETTES))
    return (
        silhouette,
        (silhouette + turn) % len(TEXTURES),
        (silhouette + 5 + 2 * turn) % len(SILHOUETTES),
    )


def _stretch(
    polygon: NDArray[np.float64], tilt: float, box: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    """Tilt a polygon and stretch it to fill a box (x, y, width, height) exactly, so that no box tells the silhouette."""
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    turned = polygon @ np.array([[cos, sin], [-sin, cos]])
    low, high = turned.min(0), turned.max(0)
    return (turned - low) / (high - low) * np.array(box[2:]) + np.array(box[:2])


def _cover(polygon: NDArray[np.float64], size: tuple[int, int]) -> Array:
    """Rasterise a polygon to its coverage (height, width) of each pixel, from 0 to 1."""
    height, width = size
    shift = 4  # bits of sub-pixel precision in OpenCV's integer coordinates
    mask = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), dtype=np.uint8)
    points = ((polygon * SUPERSAMPLING - 0.5) * (1 << shift)).round().astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_8, shift)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _paint(canvas: Array, cover: Array, colour: Array) -> None:
    canvas += cover[..., None] * (colour - canvas)


def _draw_object(canvas: Array, layout: Layout, class_index: int) -> tuple[int, int, int, int]:
    """Draw an object of a class in its box, and return that box as inclusive corners."""
    silhouette, texture, part = class_traits(class_index)
    x, y, width, height = layout.box
    view = canvas[y : y + height, x : x + width]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    cos, sin = np.cos(np.radians(layout.tilt)), np.sin(np.radians(layout.tilt))
    u = (cos * columns + sin * rows) / layout.period + layout.phase[0]
    v = (cos * rows - sin * columns) / layout.period + layout.phase[1]
    share = TEXTURES[texture].pattern(u, v).astype(np.float32)[..., None]
    skin = layout.colours[0] + share * (layout.colours[1] - layout.colours[0])
    _paint(
        view,
        _cover(
            _stretch(SILHOUETTES[silhouette].polygon, layout.tilt, (0, 0, width, height)),
            (height, width),
        ),
        skin,
    )
    pw, ph = PART_SIDE * width, PART_SIDE * height
    px, py = layout.part[0] * width - pw / 2, layout.part[1] * height - ph / 2
    _paint(
        view,
        _cover(_stretch(SILHOUETTES[part].polygon, layout.tilt, (px, py, pw, ph)), (height, width)),
        layout.colours[2],
    )
    return x, y, x + width - 1, y + height - 1


def _layouts(rng: Rng, size: tuple[int, int]) -> list[Layout]:
    """Place one to three objects that hardly overlap; a place that is not found in some tries is left empty."""
    wanted = 1 + int(rng.choice(len(INSTANCES), p=INSTANCES))
    layouts: list[Layout] = []
    for _ in range(20):
        layout = _layout(rng, size)
        if all(_overlap(layout.box, other.box) <= MAX_OVERLAP for other in layouts):
            layouts.append(layout)
        if len(layouts) == wanted:
            break
    return layouts


def _layout(rng: Rng, size: tuple[int, int]) -> Layout:
    short = min(size)
    longer = rng.uniform(*SIDE) * short
    shorter = max(longer * rng.uniform(*SQUEEZE), SIDE[0] * short)
    sides = np.array([longer, shorter])[rng.permutation(2)].round().astype(int)
    width, height = int(sides[0]), int(sides[1])
    x, y = int(rng.integers(0, size[1] - width + 1)), int(rng.integers(0, size[0] - height + 1))
    return Layout(
        box=(x, y, width, height),
        tilt=float(rng.uniform(-TILT, TILT)),
        period=float(rng.uniform(*PERIOD_SPREAD)) * (PERIOD[0] * short + PERIOD[1] * longer),
        phase=(float(rng.random()), float(rng.random())),
        colours=_colours(rng),
        part=(float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.4, 0.6))),
    )


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) / min(a[2] * a[3], b[2] * b[3])


def _colours(rng: Rng) -> Array:
    """Draw three colours (3, 3): two of the texture, which differ in brightness, and one of the part."""
    while True:
        colours = rng.random((3, 3)).astype(np.float32)
        if abs(colours[0].mean() - colours[1].mean()) > CONTRAST:
            return colours


def _background(rng: Rng, size: tuple[int, int]) -> Array:
    """Draw a ground of clouds in three scales, in random colours."""
    canvas = np.zeros((*size, 3), dtype=np.float32)
    for cells, weight in ((2, 0.5), (6, 0.25), (24, 0.15)):
        noise = rng.random((cells, cells, 3)).astype(np.float32)
        canvas += weight * cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
    return canvas + 0.05


def _distract(canvas: Array, rng: Rng) -> None:
    """Draw a thing of no class: a blob, a bar or a pair of lines, plain or shaded."""
    height, width = canvas.shape[:2]
    short = min(height, width)
    colour, other = rng.random((2, 3)).astype(np.float32)
    centre = rng.random(2) * (width, height)
    kind = rng.integers(3)
    if kind == 0:
        wobble = rng.normal(0, 0.25, 4)
        shape = _radial(
            lambda a: (
                1
                + wobble[0] * np.cos(2 * a)
                + wobble[1] * np.sin(a)
                + wobble[2] * np.cos(3 * a + wobble[3])
            )
        )
        sides = rng.uniform(0.08, 0.4, 2) * short
    elif kind == 1:
        shape = _polygon((-1, -1), (1, -1), (1, 1), (-1, 1))
        sides = rng.uniform((0.02, 0.2), (0.06, 0.6)) * short
    else:
        shape = rng.normal(size=(4, 2))
        sides = rng.uniform(0.1, 0.35, 2) * short
    box = (*(centre - sides / 2), *sides)
    cover = _cover(_stretch(shape, float(rng.uniform(0, 360)), box), (height, width))
    slope = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    _paint(canvas, cover, colour + slope * (other - colour) * 0.6)
