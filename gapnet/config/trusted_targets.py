"""Classes and functions that a configuration may name with `_target_`.

A configuration may come from somebody else, for example with a run folder. So a name is checked
before anything is imported, and the object is checked before it is called. Allowed are classes of
the packages below, functions of a few modules, and registered networks. Modules that the user lists
with imports=[...] on the command line are trusted completely. (Hydra itself builds the nodes under
`hydra`; they come only from conf/ and the command line.)

Classes and functions of gapnet are named by their package, as in `gapnet.data.Ilsvrc`, so that
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

from gapnet.config.source_signatures import stand_in
from gapnet.errors import GapnetError

TARGET = "_target_"
CLASSES = (
    *("gapnet.data", "gapnet.evaluation.protocols", "gapnet.localization", "gapnet.models"),
    *("gapnet.saliency", "gapnet.training", "torch.optim", "timm.optim", "optuna.pruners"),
    *("pytorch_lightning.Trainer", "pytorch_lightning.callbacks", "pytorch_lightning.plugins"),
    *("pytorch_lightning.profilers", "pytorch_lightning.strategies"),
)
NAMES = (*CLASSES, "gapnet.evaluation")
HOMES = (
    "pytorch_lightning.trainer.trainer.Trainer",
    "lightning_fabric.plugins",
)  # where some of these are defined
FUNCTIONS = (
    "gapnet.data.sources.shapes.dataset",
    "gapnet.data.loading.views",
    "gapnet.evaluation.protocols",
)
REGISTERED = "is_registered_network"  # attribute set by gapnet.models.register, which imports torch
LISTED = "gapnet, torch.optim, timm.optim, pytorch_lightning or optuna.pruners"
# Modules in run folders of the first version, which wrote gapnet.data.ilsvrc.Ilsvrc
FIRST_VERSION = {
    "gapnet.data": "cub datamodule folder ilsvrc metadata shapes shards transforms",
    "gapnet.evaluation": "protocols",
    "gapnet.localization": "boxers contours crops grabcut guesses released",
    "gapnet.models": "alexnet googlenet nin resnet timm tiny vgg",
    "gapnet.saliency": "cam deconvnet grad_cam grad_cam_plus_plus gradient guided occlusion",
    "gapnet.training": "callbacks checkpoint classifier optim watch",
}


def locate(node: Any, key: str, own: Sequence[str]) -> Any:
    """Return a node in which every name under `_target_` is replaced by the class or function.

    Args:
        node: plain values.
        key: full key of the node, for errors.
        own: modules that the user trusts.
    """
    if isinstance(node, list):
        return [locate(item, f"{key}.{index}", own) for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    return {
        name: find(value, own, setting=f"{key}.{name}={value}")
        if name == TARGET
        else locate(value, f"{key}.{name}", own)
        for name, value in node.items()
    }


def find(name: object, own: Sequence[str] = (), *, setting: str = "") -> Callable[..., Any]:
    """Import a class or function that a configuration may name.

    Args:
        name: full name of the class or function.
        own: modules that the user trusts.
        setting: KEY=VALUE with which an error begins.
    """
    if not (isinstance(name, str) and is_in(name, (*NAMES, *own))):
        raise _refusal(setting, name)
    module, _, attribute = current_name(name).rpartition(".")
    try:
        target = _attribute(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise GapnetError(f"{setting}: no such class or function ({error})") from error
    if not _may_be_named(target, own):
        raise _refusal(setting, name)
    return target  # type: ignore[no-any-return]


def find_signature(name: object, own: Sequence[str] = ()) -> Callable[..., Any]:
    """Return a class or function as `find` does, or else an object with its name and signature.

    Such an object cannot be called; it spares the import of Lightning and torchvision.
    """
    if isinstance(name, str) and is_in(name, (*NAMES, *own)):
        described = stand_in(current_name(name))
        if described is not None and _may_be_named(described, own):
            return described
    return find(name, own)


def current_name(name: str) -> str:
    """Return the current name of a class that the first version named by its file.

    >>> current_name("gapnet.data.ilsvrc.Ilsvrc")
    'gapnet.data.Ilsvrc'
    """
    module, _, attribute = name.rpartition(".")
    package, _, file = module.rpartition(".")
    is_old = file in FIRST_VERSION.get(package, "").split()
    return f"{package}.{attribute}" if is_old else name


def _attribute(module: ModuleType, name: str) -> Any:
    """Return an attribute of a module, or of the file in a package that defines it."""
    try:
        return getattr(module, name)
    except AttributeError:
        for file in walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            if file.name.startswith("gapnet.") and _defines(file.name, name):
                return getattr(import_module(file.name), name)
        raise


def _defines(module: str, name: str) -> bool:
    """Return whether a module's source defines a class or function, without importing it."""
    spec = find_spec(module)
    source = (
        spec.loader.get_source(module) if spec and isinstance(spec.loader, SourceLoader) else ""
    )
    return re.search(rf"^(class|def) {re.escape(name)}\b", source or "", re.MULTILINE) is not None


def _may_be_named(target: Any, own: Sequence[str]) -> bool:
    """Return whether an object is defined in an allowed module, and not only imported there."""
    if isinstance(target, type):
        return is_in(home_of(target), (*CLASSES, *HOMES, *own))
    of_module = inspect.isfunction(target) and "." not in target.__qualname__
    is_network = getattr(target, REGISTERED, False)
    return is_network or (of_module and is_in(home_of(target), (*FUNCTIONS, *own)))


def home_of(target: Callable[..., Any]) -> str:
    """Return where a class or function is defined."""
    return f"{target.__module__}.{target.__qualname__}"


def is_in(name: str, modules: Sequence[str]) -> bool:
    """Return whether a name is one of these packages, modules or classes, or is inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _refusal(setting: str, name: object) -> GapnetError:
    module = name.rpartition(".")[0] if isinstance(name, str) else ""
    return GapnetError(
        f"{setting}: must be an allowed class or function of {LISTED}; if you trust the module, "
        f"add imports=[{module or 'MODULE'}]"
    )
