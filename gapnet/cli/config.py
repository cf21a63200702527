"""Where the configuration lies, and how it becomes objects."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

import gapnet
from gapnet.cli.arguments import check_values
from gapnet.errors import GapnetError


def conf_folder() -> Path:
    """Find conf/: inside the package when it was installed as a wheel, beside it in a checkout."""
    package = Path(gapnet.__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def build(cfg: DictConfig, key: str, **extra: Any) -> Any:
    """Instantiate the node under `key`; what its constructor rejects is an error that names it.

    `extra` arguments are objects that only code can give. They do not pass through Hydra, which
    would copy them.
    """
    node = cfg[key]
    try:
        _check_values(node, key)
        built = instantiate(node, _convert_="all", **({"_partial_": True} if extra else {}))
        return built(**extra) if extra else built
    except GapnetError:
        raise
    except Exception as error:  # of any kind: what is built here may be anybody's
        raise GapnetError(_reason(error, key, node)) from error


def _check_values(node: DictConfig, key: str) -> None:
    """Check values where gapnet, or who registers with it, declares what they must be."""
    target = node.get("_target_")
    values = OmegaConf.to_container(node, resolve=True)
    if not (isinstance(target, str) and isinstance(values, dict)):
        return
    module, _, name = target.rpartition(".")
    built = getattr(import_module(module), name, None)  # Hydra's get_object would log a failure
    if built and (target.startswith("gapnet.") or hasattr(built, "__signature__")):
        check_values(built, key, {str(name): each for name, each in values.items()})


def _reason(error: Exception, key: str, node: DictConfig) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, GapnetError):
        return str(cause)
    target = node.get("_target_")
    if target and isinstance(cause, TypeError) and target.rpartition(".")[2] in str(cause):
        known = inspect.signature(get_object(target)).parameters
        return f"{key}: {cause}; it takes: {', '.join(known)}"
    return f"{key}: {cause}"
