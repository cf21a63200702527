"""Saliency methods and boxers by their names in conf/."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from gapnet.errors import GapnetError
from gapnet.localization import ContourBoxer, GrabCutBoxer, ReleasedBoxer, ThresholdBoxer
from gapnet.localization.boxers.threshold import Boxer
from gapnet.saliency import (
    Cam,
    ContrastCam,
    Deconvnet,
    GradCam,
    GradCamPlusPlus,
    Gradient,
    GuidedBackprop,
    Occlusion,
    Saliency,
)

T = TypeVar("T")

METHODS: dict[str, Callable[[], Saliency]] = {
    "cam": Cam,
    "contrast_cam": ContrastCam,
    "grad_cam": GradCam,
    "grad_cam_plus_plus": GradCamPlusPlus,
    "gradient": Gradient,
    "guided": GuidedBackprop,
    "deconvnet": Deconvnet,
    "occlusion": Occlusion,
}
BOXERS: dict[str, Callable[[], Boxer]] = {
    "threshold20": ThresholdBoxer,
    "wsol": ContourBoxer,
    "grabcut": GrabCutBoxer,
    "released": ReleasedBoxer,
}


def method_of(method: str | Saliency) -> Saliency:
    """Return a saliency method by its name."""
    return _made("method", method, METHODS) if isinstance(method, str) else method


def boxer_of(boxer: str | Boxer) -> Boxer:
    """Return a boxer by its name."""
    return _made("boxer", boxer, BOXERS) if isinstance(boxer, str) else boxer


def _made(key: str, name: str, makers: Mapping[str, Callable[[], T]]) -> T:
    if name not in makers:
        raise GapnetError(f"{key}={name}: must be one of {', '.join(makers)}")
    return makers[name]()
