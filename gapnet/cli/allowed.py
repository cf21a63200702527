"""What a configuration may name with `_target_`: parts to build from, and nothing that just acts.

A configuration may be a stranger's; that of a run folder is. So a name is looked at before anything
is imported, and what it leads to before it is called: a class that has its home in one of the
places below, or a function of the few modules that are made of such, or a registered network. What
the user names on the command line with imports=[...] is his own, and all of it may be named.
(Nodes under `hydra` are built by Hydra, and come from conf/ and the command line alone.)
"""

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from gapnet.errors import GapnetError

TARGET = "_target_"
CLASSES = (
    *("gapnet.data", "gapnet.evaluation.protocols", "gapnet.localization", "gapnet.models"),
    *("gapnet.saliency", "gapnet.training", "torch.optim", "timm.optim", "optuna.pruners"),
    *("pytorch_lightning.Trainer", "pytorch_lightning.callbacks", "pytorch_lightning.plugins"),
    *("pytorch_lightning.profilers", "pytorch_lightning.strategies"),
)
HOMES = ("pytorch_lightning.trainer.trainer.Trainer", "lightning_fabric.plugins")  # of some of them
FUNCTIONS = ("gapnet.data.shapes", "gapnet.data.transforms", "gapnet.evaluation.protocols")
TOLD = "gapnet, torch.optim, timm.optim, pytorch_lightning and optuna.pruners"


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
    if not (isinstance(name, str) and lies_in(name, (*CLASSES, *own))):
        raise _refusal(said, name)
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise GapnetError(f"{said}: there is no such class or function ({error})") from error
    if not _may_be_named(found, own):
        raise _refusal(said, name)
    return found  # type: ignore[no-any-return]


def _may_be_named(found: Any, own: Sequence[str]) -> bool:
    """Look at where an object is at home: a module has those too that it imports itself."""
    if isinstance(found, type):
        return lies_in(_home(found), (*CLASSES, *HOMES, *own))
    from gapnet.models.registry import is_registered

    of_module = inspect.isfunction(found) and "." not in found.__qualname__
    return is_registered(found) or (of_module and lies_in(_home(found), (*FUNCTIONS, *own)))


def _home(found: Callable[..., Any]) -> str:
    return f"{found.__module__}.{found.__qualname__}"


def lies_in(name: str, places: Sequence[str]) -> bool:
    """Return whether a name is one of these packages, modules or classes, or inside one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _refusal(said: str, name: object) -> GapnetError:
    module = name.rpartition(".")[0] if isinstance(name, str) else ""
    return GapnetError(
        f"{said}: is none of what a configuration may name in {TOLD}; "
        f"imports=[{module or 'MODULE'}] allows a module of your own"
    )
