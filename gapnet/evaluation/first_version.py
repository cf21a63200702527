"""What predictions of the first version say of themselves, as identities.

They hold the text of each object, such as `Localizer(saliency=Cam(), ...)`, with every argument.
"""

import ast
import re
from importlib import import_module
from typing import Any

from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.runs.identity import described, plain_value

BATCHES = re.compile(
    r"(?P<view>\{.*\}) (?P<size>\d+) a batch, (?P<precision>\S+) on (?P<device>\w+)"
)
# What a text raises that is none of these
UNREADABLE = (
    *(SyntaxError, ValueError, TypeError, AttributeError, KeyError, RecursionError, MemoryError),
)
VIEWS = "gapnet.data.loading.views"
CLASSES = {
    "Cam": "gapnet.saliency.cam.cam",
    "Deconvnet": "gapnet.saliency.gradient.deconvnet",
    "GradCam": "gapnet.saliency.cam.grad_cam",
    "GradCamPlusPlus": "gapnet.saliency.cam.grad_cam_plus_plus",
    "Gradient": "gapnet.saliency.gradient.gradient",
    "GuidedBackprop": "gapnet.saliency.gradient.guided",
    "Occlusion": "gapnet.saliency.perturbation.occlusion",
    "ThresholdBoxer": "gapnet.localization.boxers.threshold",
    "ContourBoxer": "gapnet.localization.boxers.contours",
    "GrabCutBoxer": "gapnet.localization.boxers.grabcut",
    "ReleasedBoxer": "gapnet.localization.boxers.released",
    "Single": "gapnet.localization.crops",
    "TenCrops": "gapnet.localization.crops",
    "OnePerClass": "gapnet.localization.guesses",
    "TightLoose": "gapnet.localization.guesses",
    "Localizer": "gapnet.localization.localizer",
}


def read_texts(network: str, rules: str, batches: str) -> dict[str, Any]:
    """Read what network, rules and batches were, in the identities that parts have today."""
    return {
        "network": _read_network(network),
        "rules": read_rules(rules),
        "batches": _read_batches(batches),
    }


def _read_network(text: str) -> Any:
    """Read a name and a dict of arguments."""
    name, _, arguments = text.partition(" ")
    try:
        return network_identity(name, ast.literal_eval(arguments))
    except UNREADABLE:
        return text


def _read_batches(text: str) -> Any:
    """Read such as `{'_target_': '...', ...} 24 a batch, 32-true on cpu`."""
    found = BATCHES.fullmatch(text)
    try:
        if found is None:
            return text
        view = ast.literal_eval(found["view"])
        target = getattr(import_module(VIEWS), view.pop("_target_").rpartition(".")[2])
        view.pop("_partial_", None)
        return batches_identity(
            described(target, view), int(found["size"]), found["precision"], found["device"]
        )
    except UNREADABLE:
        return text


def read_rules(text: str) -> Any:
    """Read the text of a localizer or a boxer; what names a class of others stays a text.

    >>> read_rules("OnePerClass(classes=2)")
    {'is': 'gapnet.localization.OnePerClass', 'classes': 2}
    >>> read_rules("OnePerClass(classes=5)")
    {'is': 'gapnet.localization.OnePerClass'}
    """
    try:
        return _value(ast.parse(text, mode="eval").body)
    except UNREADABLE:
        return text


def _value(node: ast.expr) -> Any:
    if not isinstance(node, ast.Call):
        return plain_value(ast.literal_eval(node))
    if not isinstance(node.func, ast.Name) or node.args:
        raise ValueError(ast.unparse(node))
    target = getattr(import_module(CLASSES[node.func.id]), node.func.id)
    return described(target, {str(each.arg): _value(each.value) for each in node.keywords})
