"""Saliency methods and boxers by their names in conf/."""

from collections.abc import Callable

from gapnet.errors import GapnetError
from gapnet.localization import ContourBoxer, GrabCutBoxer, ReleasedBoxer, ThresholdBoxer
from gapnet.localization.boxers.threshold import Boxer
from gapnet.saliency import (
    Cam,
    Deconvnet,
    GradCam,
    GradCamPlusPlus,
    Gradient,
    GuidedBackprop,
    Occlusion,
    Saliency,
)

METHODS: dict[str, Callable[[], Saliency]] = {
    "cam": Cam,
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
    if not isinstance(method, str):
        return method
    if method not in METHODS:
        raise GapnetError(f"method={method}: must be one of {', '.join(METHODS)}")
    return METHODS[method]()


def boxer_of(boxer: str | Boxer) -> Boxer:
    """Return a boxer by its name."""
    if not isinstance(boxer, str):
        return boxer
    if boxer not in BOXERS:
        raise GapnetError(f"boxer={boxer}: must be one of {', '.join(BOXERS)}")
    return BOXERS[boxer]()
