"""The gallery as JSON, from which the page's scripts draw."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from gapnet.evaluation.box_frames import Frame
from gapnet.evaluation.protocols import Protocol
from gapnet.localization.boxers.threshold import Boxer, ThresholdBoxer
from gapnet.report.gallery_image import GalleryImage, Json
from gapnet.text.plain_text import plain

COLOURS = ("viridis", "magma", "cividis", "gray", "jet")  # the first is the default
STOPS = 64  # colours of a colour map; the page interpolates


@dataclass(frozen=True)
class GallerySource:
    """What explains images: a method, or a run.

    Args:
        name: shown with its maps.
        cut: of the boxer, as a share of the map's maximum; None if it has no single one.
        connectivity: 8 lets cells touch at corners, 4 does not.
        exact: whether the page computes the same boxes as the boxer, also at other cuts.
    """

    name: str
    cut: float | None
    connectivity: int
    exact: bool

    @classmethod
    def of(cls, name: str, boxer: Boxer) -> "GallerySource":
        """Return a source with the rules of a boxer."""
        if isinstance(boxer, ThresholdBoxer):
            exact = boxer.largest == "pixels" and type(boxer) is ThresholdBoxer
            return cls(plain(name), boxer.cut, boxer.connectivity, exact)
        return cls(plain(name), boxer.cut, 8, exact=False)


@dataclass(frozen=True)
class Gallery:
    """Images that sources explain, and the protocol that judges their boxes.

    Args:
        images: in the order in which they are shown.
        sources: of every image's maps.
        protocol: the main one.
        class_names: by index.
    """

    images: Sequence[GalleryImage]
    sources: Sequence[GallerySource]
    protocol: Protocol
    class_names: Sequence[str]

    def json(self) -> Json:
        """Return all that the page's scripts need."""
        return {
            "classes": [plain(name) for name in self.class_names],
            "sources": [asdict(source) for source in self.sources],
            "rules": rules_of(self.protocol),
            "colours": [[name, colour_stops(name)] for name in COLOURS],
            "images": [image.json(self.protocol) for image in self.images],
        }


def rules_of(protocol: Protocol) -> Json:
    """Return the rules by which a protocol judges a box; no frame stands for the file's pixels."""
    frame = protocol.frame_of()
    return {
        "iou": protocol.iou,
        "above": protocol.above,
        "inclusive": protocol.inclusive,
        "frame": {"resize": frame.resize, "crop": frame.crop, "whole": frame.whole}
        if isinstance(frame, Frame)
        else None,
    }


def colour_stops(name: str) -> list[str]:
    """Return colours of one of matplotlib's maps at even distances.

    >>> colour_stops("gray")[::63]
    ['#000000', '#ffffff']
    """
    return [to_hex(colour) for colour in matplotlib.colormaps[name](np.linspace(0, 1, STOPS))]
