"""The classes and functions that a configuration may name with `_target_`.

A configuration may come from somebody else; that of a run folder often does. So a name is checked
before anything is imported, and the object behind it before it is called. Allowed are classes
defined in the places below, functions of a few modules, and registered networks. Modules that the
user lists with imports=[...] on the command line are trusted as a whole. (Hydra builds the nodes
under `hydra`; they come from conf/ and the command line only.)

gapnet's own classes and functions are named by their package, as in `gapnet.data.Ilsvrc`, so that
files may move.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import SourceLoader
from importlib.util import find_spec
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

from gapnet.errors import GapnetError

TARGET = "_target_"
CLASSES = (
    *("gapnet.data", "gapnet.evaluation.protocols", "gapnet.localization", "gapnet.models"),
    *("gapnet.saliency", "gapnet.training", "torch.optim", "timm.optim", "optuna.pruners"),
    *("pytorch_lightning.Trainer", "pytorch_lightning.callbacks", "pytorch_lightning.plugins"),
    *("pytorch_lightning.profilers", "pytorch_lightning.strategies"),
)
NAMES = (*CLASSES, "gapnet.evaluation")
HOMES = ("pytorch_lightning.trainer.trainer.Trainer", "lightning_fabric.plugins")  # of some of them
FUNCTIONS = (
    "gapnet.data.sources.shapes.dataset",
    "gapnet.data.loading.views",
    "gapnet.evaluation.protocols",
)
REGISTERED = "is_registered_network"  # set by gapnet.models.register; to ask it would import torch
LISTED = "gapnet, torch.optim, timm.optim, pytorch_lightning and optuna.pruners"
# Modules that the first version named in run folders: gapnet.data.ilsvrc.Ilsvrc and the like
FIRST_VERSION = {
    "gapnet.data": "cub datamodule folder ilsvrc metadata shapes shards transforms",
    "gapnet.evaluation": "protocols",
    "gapnet.localization": "boxers contours crops grabcut guesses released",
    "gapnet.models": "alexnet googlenet nin resnet timm tiny vgg",
    "gapnet.saliency": "cam deconvnet grad_cam grad_cam_plus_plus gradient guided occlusion",
    "gapnet.training": "callbacks checkpoint classifier optim watch",
}


def locate(node: Any, key: str, own: Sequence[str]) -> Any:
    """Put what they name in place of the names in a node and in all that is in it.

    Args:
        node: plain values.
        key: of the node, for the error.
        own: modules that the user has named.
    """
    if isinstance(node, list):
        return [locate(each, f"{key}.{place}", own) for place, each in enumerate(node)]
    if not isinstance(node, dict):
        return node
    return {
        name: find(each, own, said=f"{key}.{name}={each}")
        if name == TARGET
        else locate(each, f"{key}.{name}", own)
        for name, each in node.items()
    }


def find(name: object, own: Sequence[str] = (), *, said: str = "") -> Callable[..., Any]:
    """Import a class or a function, if a configuration may name it; an error begins with `said`."""
    if not (isinstance(name, str) and lies_in(name, (*NAMES, *own))):
        raise _refusal(said, name)
    module, _, attribute = current_name(name).rpartition(".")
    try:
        target = _attribute(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise GapnetError(f"{said}: there is no such class or function ({error})") from error
    if not _may_be_named(target, own):
        raise _refusal(said, name)
    return target  # type: ignore[no-any-return]


def current_name(name: str) -> str:
    """Return the public name of what the first version named by its file.

    >>> current_name("gapnet.data.ilsvrc.Ilsvrc")
    'gapnet.data.Ilsvrc'
    """
    module, _, attribute = name.rpartition(".")
    package, _, file = module.rpartition(".")
    is_old = file in FIRST_VERSION.get(package, "").split()
    return f"{package}.{attribute}" if is_old else name


def _attribute(module: ModuleType, name: str) -> Any:
    """Return an attribute of a module, or of that file of a package that defines it."""
    try:
        return getattr(module, name)
    except AttributeError:
        for file in walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            if file.name.startswith("gapnet.") and _defines(file.name, name):
                return getattr(import_module(file.name), name)
        raise


def _defines(module: str, name: str) -> bool:
    """Return whether a module's text defines a class or function, without importing the module."""
    spec = find_spec(module)
    source = (
        spec.loader.get_source(module) if spec and isinstance(spec.loader, SourceLoader) else ""
    )
    return re.search(rf"^(class|def) {re.escape(name)}\b", source or "", re.MULTILINE) is not None


def _may_be_named(target: Any, own: Sequence[str]) -> bool:
    """Check where an object is defined: a module also has the names that it imports itself."""
    if isinstance(target, type):
        return lies_in(home_of(target), (*CLASSES, *HOMES, *own))
    of_module = inspect.isfunction(target) and "." not in target.__qualname__
    is_network = getattr(target, REGISTERED, False)
    return is_network or (of_module and lies_in(home_of(target), (*FUNCTIONS, *own)))


def home_of(target: Callable[..., Any]) -> str:
    """Return where a class or function is defined."""
    return f"{target.__module__}.{target.__qualname__}"


def lies_in(name: str, places: Sequence[str]) -> bool:
    """Return whether a name is one of these packages, modules or classes, or inside one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _refusal(said: str, name: object) -> GapnetError:
    module = name.rpartition(".")[0] if isinstance(name, str) else ""
    return GapnetError(
        f"{said}: is none of what a configuration may name in {LISTED}; "
        f"imports=[{module or 'MODULE'}] allows a module of your own"
    )
