"""Traits of a class of the stand-in data set: a silhouette, a texture and a part."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Silhouette(NamedTuple):
    """A polygon (points, 2) of any size; drawing stretches it to the object's box."""

    name: str
    polygon: Array


class Texture(NamedTuple):
    """A pattern: a function from coordinates, in periods, to where the second colour is."""

    name: str
    pattern: Callable[[Array, Array], Mask]


def class_traits(class_index: int) -> tuple[int, int, int]:
    """Return the silhouette, texture and part of a class.

    All three differ among the first twelve classes; no two classes share silhouette and texture.
    """
    turn, silhouette = divmod(class_index, len(SILHOUETTES))
    texture = (silhouette + turn) % len(TEXTURES)
    part = (silhouette + 5 + 2 * turn) % len(SILHOUETTES)
    return silhouette, texture, part


def radial(radius: Callable[[Array], Array]) -> Array:
    """Make a polygon whose distance from the centre is a function of the angle."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    points: Array = radius(angle)[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1)
    return points


def polygon(*corners: tuple[float, float]) -> Array:
    """Make a polygon of its corners."""
    return np.array(corners, dtype=np.float64)


def _star(points: int, inner: float) -> Array:
    angle = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    corners: Array = radius[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1)
    return corners


def _quarter_turns(*corners: tuple[float, float]) -> list[tuple[float, float]]:
    turns = ((1, 0), (0, 1), (-1, 0), (0, -1))
    return [(cos * x - sin * y, sin * x + cos * y) for cos, sin in turns for x, y in corners]


SQUARE = polygon((-1, -1), (1, -1), (1, 1), (-1, 1))
ARROW = polygon((0, -1), (1, 0), (0.5, 0), (0.5, 1), (-0.5, 1), (-0.5, 0), (-1, 0))

SILHOUETTES: tuple[Silhouette, ...] = (
    Silhouette("disc", radial(np.ones_like)),
    Silhouette("square", SQUARE),
    Silhouette("triangle", polygon((0, -1), (1, 1), (-1, 1))),
    Silhouette("star", _star(5, 0.5)),
    Silhouette("cross", polygon(*_quarter_turns((-1, -3), (1, -3), (1, -1)))),
    Silhouette("flower", radial(lambda angle: 1 + 0.28 * np.cos(5 * angle))),
    Silhouette("hexagon", _star(3, 1.0)),
    Silhouette("hourglass", polygon((-1, -1), (1, -1), (0.45, 0), (1, 1), (-1, 1), (-0.45, 0))),
    Silhouette("diamond", polygon((0, -1), (1, 0), (0, 1), (-1, 0))),
    Silhouette("arrow", ARROW),
    Silhouette("cog", _star(9, 0.72)),
    Silhouette("bucket", polygon((-0.5, -1), (0.5, -1), (1, 1), (-1, 1))),
)


def _cell(t: Array) -> Array:
    return t - np.floor(t) - 0.5


def _saw(t: Array) -> Array:
    rising_and_falling: Array = np.abs(_cell(t)) * 2
    return rising_and_falling


def _weave(u: Array, v: Array) -> Mask:
    across = (np.floor(u * 0.5) + np.floor(v * 0.5)) % 2 == 0
    return np.where(across, _saw(v), _saw(u)) > 0.5


def _rings(u: Array, v: Array) -> Mask:
    return np.abs(np.hypot(_cell(u * 0.75), _cell(v * 0.75)) - 0.3) < 0.12


def _bricks(u: Array, v: Array) -> Mask:
    joint = _saw(u * 0.5 + 0.5 * (np.floor(v) % 2)) * 2
    return np.minimum(_saw(v), joint) < 0.3


def _scales(u: Array, v: Array) -> Mask:
    return np.hypot(_cell(u + 0.5 * (np.floor(v) % 2)), v - np.floor(v)) < 0.5


TEXTURES: tuple[Texture, ...] = (
    Texture("striped", lambda u, v: _saw(v) > 0.5),
    Texture("pillared", lambda u, v: _saw(u) > 0.5),
    Texture("slanted", lambda u, v: _saw((u + v) * 0.7) > 0.5),
    Texture("checked", lambda u, v: (_saw(u) > 0.5) != (_saw(v) > 0.5)),
    Texture("dotted", lambda u, v: np.hypot(_cell(u), _cell(v)) < 0.38),
    Texture("woven", _weave),
    Texture("zigzag", lambda u, v: _saw(v + 0.9 * _saw(u * 0.6)) > 0.5),
    Texture("ringed", _rings),
    Texture("bricked", _bricks),
    Texture("toothed", lambda u, v: np.abs(_cell(u * 0.9)) * 2 < v * 0.9 - np.floor(v * 0.9)),
    Texture("hatched", lambda u, v: np.minimum(_saw((u + v) * 0.6), _saw((u - v) * 0.6)) < 0.3),
    Texture("scaled", _scales),
)
CLASSES = len(SILHOUETTES) * len(TEXTURES)
