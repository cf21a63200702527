"""Identities from the texts in predictions of the first version of gapnet.

These have one text per object, such as `Localizer(saliency=Cam(), ...)`, with all arguments.
"""

import ast
import re
from importlib import import_module
from typing import Any

from gapnet.runs.identity import described, plain_value

BATCHES = re.compile(
    r"(?P<view>\{.*\}) (?P<size>\d+) a batch, (?P<precision>\S+) on (?P<device>\w+)"
)
# What parsing raises for a text of another form
UNREADABLE = (
    *(SyntaxError, ValueError, TypeError, AttributeError, KeyError, RecursionError, MemoryError),
)
# Imported only for predictions of the first version, because they import torch and all networks
IDENTITIES = "gapnet.evaluation.identities"
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
    """Return the identities of network, rules and batches from their texts."""
    return {
        "network": _read_network(network),
        "rules": read_rules(rules),
        "batches": _read_batches(batches),
    }


def _read_network(text: str) -> Any:
    """Return the identity from a name and a dict of arguments; the text if it has another form."""
    name, _, arguments = text.partition(" ")
    try:
        return import_module(IDENTITIES).network_identity(name, ast.literal_eval(arguments))
    except UNREADABLE:
        return text


def _read_batches(text: str) -> Any:
    """Return the identity from a text such as `{'_target_': '...'} 24 a batch, 32-true on cpu`."""
    match = BATCHES.fullmatch(text)
    try:
        if match is None:
            return text
        view = ast.literal_eval(match["view"])
        target = getattr(import_module(VIEWS), view.pop("_target_").rpartition(".")[2])
        view.pop("_partial_", None)
        return import_module(IDENTITIES).batches_identity(
            described(target, view), int(match["size"]), match["precision"], match["device"]
        )
    except UNREADABLE:
        return text


def read_rules(text: str) -> Any:
    """Return the identity from the text of a localizer or a boxer; unknown classes stay a text.

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
    return described(target, {str(keyword.arg): _value(keyword.value) for keyword in node.keywords})
