"""Maps of the evidence for a class or another target, one method a file."""

from gapnet.saliency.base import Saliency, Seen, Target, Targets, look
from gapnet.saliency.cam.cam import Cam
from gapnet.saliency.cam.contrast_cam import ContrastCam
from gapnet.saliency.cam.grad_cam import GradCam
from gapnet.saliency.cam.grad_cam_plus_plus import GradCamPlusPlus
from gapnet.saliency.gradient.backprop import map_gradients, map_image_gradients
from gapnet.saliency.gradient.deconvnet import Deconvnet
from gapnet.saliency.gradient.gradient import Gradient
from gapnet.saliency.gradient.guided import GuidedBackprop
from gapnet.saliency.perturbation.occlusion import Occlusion
from gapnet.saliency.targets import Margin, OutputUnit

__all__ = [
    "Cam",
    "ContrastCam",
    "Deconvnet",
    "GradCam",
    "GradCamPlusPlus",
    "Gradient",
    "GuidedBackprop",
    "Margin",
    "Occlusion",
    "OutputUnit",
    "Saliency",
    "Seen",
    "Target",
    "Targets",
    "look",
    "map_gradients",
    "map_image_gradients",
]
