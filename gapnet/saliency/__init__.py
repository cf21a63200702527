"""Maps of the evidence for a class, one method a file."""

from gapnet.saliency.base import Saliency
from gapnet.saliency.cam.cam import Cam
from gapnet.saliency.cam.grad_cam import GradCam
from gapnet.saliency.cam.grad_cam_plus_plus import GradCamPlusPlus
from gapnet.saliency.gradient.deconvnet import Deconvnet
from gapnet.saliency.gradient.gradient import Gradient
from gapnet.saliency.gradient.guided import GuidedBackprop
from gapnet.saliency.perturbation.occlusion import Occlusion

__all__ = [
    "Cam",
    "Deconvnet",
    "GradCam",
    "GradCamPlusPlus",
    "Gradient",
    "GuidedBackprop",
    "Occlusion",
    "Saliency",
]
