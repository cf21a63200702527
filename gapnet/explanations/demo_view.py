"""Computes what the demo shows: explanations of a picture, and boxes at other thresholds."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from gapnet.errors import GapnetError
from gapnet.explanations.explain import explain
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.methods import METHODS
from gapnet.localization import ThresholdBoxer
from gapnet.models.gapnet import GapNet

TOP = 5  # classes whose probabilities are shown


def methods_for(network: GapNet) -> list[str]:
    """Return the names of the saliency methods that can explain a network, the quickest first."""
    return [name for name in METHODS if _works(name, network)]


def _works(method: str, network: GapNet) -> bool:
    try:
        METHODS[method]().check(network)
    except GapnetError:
        return False
    return True


def probabilities(network: GapNet, picture: Image.Image) -> dict[str, float]:
    """Return the names of the most probable classes and their probabilities."""
    (explanation,) = explain(network, picture, top=TOP, method=methods_for(network)[0])
    return dict(zip(explanation.names, explanation.scores, strict=True))


def explain_class(
    network: GapNet, picture: Image.Image, class_name: str | None, *, method: str
) -> Explanation:
    """Explain a class in a picture; None is the most probable one."""
    classes = None if class_name is None else [class_name]
    (explanation,) = explain(network, picture, classes, method=method)
    return explanation


def with_box_at(explanation: Explanation, threshold: float) -> Explanation:
    """Return an explanation with its boxes at another threshold; the network is not run."""
    boxer = ThresholdBoxer(threshold)
    height, width = explanation.maps.shape[1:]
    heats = boxer.heat(torch.from_numpy(explanation.maps), (height, width))
    boxes = np.concatenate([boxer.boxes(heat, None) for heat in heats])
    return replace(explanation, boxes=boxes.astype(np.float32))
