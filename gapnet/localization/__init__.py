"""Boxes from maps, and guesses from boxes."""

from gapnet.localization.boxers.contours import ContourBoxer
from gapnet.localization.boxers.grabcut import GrabCutBoxer
from gapnet.localization.boxers.released import ReleasedBoxer
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.crops import Mirrored, Single, TenCrops
from gapnet.localization.guesses import OnePerClass, TightLoose
from gapnet.localization.localizer import Localizer

__all__ = [
    "ContourBoxer",
    "GrabCutBoxer",
    "Localizer",
    "Mirrored",
    "OnePerClass",
    "ReleasedBoxer",
    "Single",
    "TenCrops",
    "ThresholdBoxer",
    "TightLoose",
]
