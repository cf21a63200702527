"""Pictures of classes, methods, thresholds and box rules."""

from collections.abc import Iterator

from free_photographs import cat, coffee, network, rocket

import gapnet
from gapnet.explanations.explain import explain_by_methods
from gapnet.explanations.montage import Tile, top_classes
from gapnet.localization import ThresholdBoxer

ROCKET = "missile"  # the published classes have no rocket
METHODS = {
    "cam": "CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "gradient": "gradient",
    "occlusion": "occlusion",
}
CUTS = (0.05, 0.2, 0.4, 0.6, 0.8)
BOXERS = {
    "threshold20": "threshold20",
    "released": "released",
    "wsol": "wsol",
    "grabcut": "grabcut",
}

Figure = tuple[str, int, list[Tile]]  # file name, columns, tiles


def gallery() -> Iterator[Figure]:
    """Yield the figures of docs/gallery.md and the first one of the README."""
    net = network()
    explained = [*gapnet.explain(net, [cat(), coffee()]), *gapnet.explain(net, rocket(), [ROCKET])]
    yield "boxes", 6, [tile for one in explained for tile in top_classes(one)]
    (top,) = gapnet.explain(net, coffee(), top=5)
    yield "top5", 6, top_classes(top)
    yield "methods", 1 + len(METHODS), _methods()
    yield "thresholds", len(CUTS), _thresholds()
    yield "box_rules", len(BOXERS), _box_rules()


def _methods() -> list[Tile]:
    tiles: list[Tile] = []
    for picture, classes in ((cat(), None), (coffee(), None), (rocket(), [ROCKET])):
        (by_method,) = explain_by_methods(network(), [picture], classes, methods=list(METHODS))
        tiles.append((picture, by_method[0].names[0]))
        names = zip(METHODS.values(), by_method, strict=True)
        tiles += [(explanation.overlay(box=False), name) for name, explanation in names]
    return tiles


def _thresholds() -> list[Tile]:
    boxers = [(f"{cut:.0%} of the maximum", ThresholdBoxer(cut=cut)) for cut in CUTS]
    return [
        (gapnet.explain(network(), picture, boxer=boxer)[0].overlay(), name)
        for picture in (cat(), coffee())
        for name, boxer in boxers
    ]


def _box_rules() -> list[Tile]:
    return [
        (gapnet.explain(network(), picture, boxer=boxer)[0].overlay(), f"boxer={name}")
        for picture in (cat(), coffee())
        for boxer, name in BOXERS.items()
    ]
