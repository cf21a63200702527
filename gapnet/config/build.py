"""Build objects from a configuration."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.argument_types import check_values
from gapnet.config.trusted_targets import TARGET, locate
from gapnet.errors import GapnetError

PARTIAL, POSITIONAL = "_partial_", "_args_"  # the names that Hydra uses
NO_GPU = "No supported gpu backend found"  # in the error of Lightning's Trainer
CHECKED = ("gapnet.", "pytorch_lightning.")  # packages whose signatures declare plain types


def build(cfg: DictConfig, key: str, **extra: Any) -> Any:
    """Build the object that the node under `key` describes; an error names the key.

    This works as Hydra's `instantiate`, but only for names that `trusted_targets` allows. All names
    are looked up before the first one is called. `extra` arguments are objects that only code can
    pass.
    """
    node = cfg[key]
    values = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    return _make(locate(values, key, cfg.get("imports") or ()), key, extra)


def _make(node: Any, key: str, extra: dict[str, Any] | None = None) -> Any:
    """Build what a node describes, innermost nodes first."""
    if isinstance(node, list):
        return [_make(item, f"{key}.{index}") for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    made = {name: _make(value, f"{key}.{name}") for name, value in node.items() if name != TARGET}
    if TARGET not in node:
        return made
    target, deferred = node[TARGET], made.pop(PARTIAL, False)
    try:
        positional = made.pop(POSITIONAL, [])
        _refuse_set_by_code(made, extra or {}, key)
        _check_values(target, key, made)
        call = partial(target, *positional, **made | (extra or {}))
        return call if deferred and not extra else call()
    except GapnetError:
        raise
    except Exception as error:  # of any type: users may build their own classes here
        raise GapnetError(_reason(error, key, target)) from error


def _refuse_set_by_code(made: dict[str, Any], extra: dict[str, Any], key: str) -> None:
    for name in made.keys() & extra.keys():
        raise GapnetError(f"{key}.{name}: is set by gapnet; remove it")


def _check_values(target: Callable[..., Any], key: str, values: dict[str, Any]) -> None:
    """Check values against signatures with types: of gapnet, Lightning, or the user."""
    if target.__module__.startswith(CHECKED) or hasattr(target, "__signature__"):
        check_values(target, key, values)


def _reason(error: Exception, key: str, target: Callable[..., Any]) -> str:
    """Return the message for a constructor's error, with its arguments if one was wrong."""
    if isinstance(error, TypeError) and target.__name__ in str(error):
        return (
            f"{key}: {error}; its arguments are: {', '.join(inspect.signature(target).parameters)}"
        )
    if NO_GPU in str(error):
        return f"{key}.accelerator=gpu: no GPU is available; use {key}.accelerator=auto or cpu"
    return f"{key}: {error}"
