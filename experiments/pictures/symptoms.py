"""Pictures of maps that look wrong, beside the remedy."""

from collections.abc import Iterator

import numpy as np
from free_photographs import cat, network, rocket
from gallery import ROCKET, Figure
from PIL import Image, ImageOps

import gapnet
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.montage import Tile
from gapnet.localization import ThresholdBoxer

TWO_CATS = (900, 300)  # pixels of a picture with two of them
ESPRESSO = "espresso"


def symptoms() -> Iterator[Figure]:
    """Yield a figure for each symptom of docs/symptoms.md."""
    makers = {
        "class": _improbable_class,
        "coarse": _coarse_maps,
        "two": _two_objects,
        "crop": _cropped_view,
        "colours": _swapped_colours,
        "rotated": _rotated,
    }
    for name, make in makers.items():
        tiles = make()
        yield f"symptom_{name}", len(tiles), tiles


def _improbable_class() -> list[Tile]:
    (wrong,) = gapnet.explain(network(), cat(), [ESPRESSO])
    (right,) = gapnet.explain(network(), cat())
    return [_tile(wrong), _tile(right)]


def _coarse_maps() -> list[Tile]:
    return [
        (gapnet.explain(net, rocket(), [ROCKET], boxer=ThresholdBoxer(cut=cut))[0].overlay(), text)
        for text, net, cut in (
            ("7 x 7 cells, 20%", network(), 0.2),
            ("7 x 7 cells, 50%", network(), 0.5),
            ("input_size=448, 50%", network(input_size=448), 0.5),
        )
    ]


def _two_objects() -> list[Tile]:
    width, height = TWO_CATS
    one = cat().resize((width // 2, height))
    both = Image.new("RGB", TWO_CATS)
    both.paste(one, (0, 0))
    both.paste(ImageOps.mirror(one), (width // 2, 0))
    return [
        (gapnet.explain(network(), both, boxer=ThresholdBoxer(cut=cut))[0].overlay(), f"{cut:.0%}")
        for cut in (0.2, 0.5)
    ]


def _cropped_view() -> list[Tile]:
    return [
        (gapnet.explain(network(), cat(), view=view)[0].overlay(), f"view={view}")
        for view in ("centre", "whole")
    ]


def _swapped_colours() -> list[Tile]:
    swapped = Image.fromarray(np.ascontiguousarray(np.asarray(cat())[..., ::-1]))
    return [_tile(explanation) for explanation in gapnet.explain(network(), [swapped, cat()])]


def _rotated() -> list[Tile]:
    rotated = cat().rotate(90, expand=True)
    return [_tile(explanation) for explanation in gapnet.explain(network(), [rotated, cat()])]


def _tile(explanation: Explanation) -> Tile:
    """Return an overlay with the name and the probability of its class."""
    return explanation.overlay(), f"{explanation.names[0]} {explanation.scores[0]:.1%}"
