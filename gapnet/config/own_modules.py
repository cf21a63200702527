"""Modules of the user: those that files in the folder of `--config-dir` name count as imports.

Only files that were chosen, as in `model=mynet`, are read. So neither a run folder, whose choices
are all called "run", nor a file in that folder that was not chosen can add a module.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from gapnet.config.conf_folder import conf_folder
from gapnet.config.trusted_targets import NAMES, TARGET, is_in
from gapnet.errors import GapnetError
from gapnet.runs.saved_config import read_saved_config

PROVIDER = "command-line"  # Hydra's name for --config-dir
HYDRA = "hydra"  # Hydra itself builds the objects of this group


def add_own_modules(cfg: DictConfig) -> None:
    """Add the modules that the user's configuration folder names to `imports`."""
    imports = list(cfg.imports)
    added = [name for name in own_modules() if not is_in(name, imports)]
    if added:
        with open_dict(cfg):
            cfg.imports = [*imports, *added]


def check_network_imported(run: Path | None) -> None:
    """Refuse a run whose network is defined in a module that was not imported."""
    model = None if run is None else read_saved_config(run).get("model")
    name = str(model.get(TARGET, "")) if isinstance(model, dict) else ""
    module = name.rpartition(".")[0]
    if module and not is_in(name, NAMES) and module not in sys.modules:
        raise GapnetError(
            f"run={run}: its network {name} is not part of gapnet; if you trust the module, add "
            f"imports=[{module}]"
        )


def own_folders() -> list[Path]:
    """Return the folder of --config-dir, in a list that is empty without it, and without Hydra."""
    if not HydraConfig.initialized():
        return []
    sources = HydraConfig.get().runtime.config_sources
    return [Path(source.path) for source in sources if source.provider == PROVIDER]


def own_modules() -> list[str]:
    """Return the modules that chosen files in the user's folder name with `_target_`."""
    names = [name for path in _chosen_files() for name in _targets(OmegaConf.load(path))]
    modules = (name.rpartition(".")[0] for name in names if not is_in(name, NAMES))
    return list(dict.fromkeys(module for module in modules if module))


def _chosen_files() -> Iterator[Path]:
    """Yield the chosen files in the user's folder that no file of gapnet shadows."""
    for folder in own_folders():
        for key, choice in HydraConfig.get().runtime.choices.items():
            group = str(key).partition("@")[0]
            if group.partition("/")[0] == HYDRA or choice is None:
                continue
            for name in choice if OmegaConf.is_list(choice) else [choice]:
                file = Path(group, f"{name}.yaml")
                if (folder / file).is_file() and not _is_shadowed(file):
                    yield folder / file


def _is_shadowed(file: Path) -> bool:
    """Return whether Hydra takes this choice from conf/ or from Hydra's ConfigStore."""
    stored = ConfigStore.instance().repo
    for part in file.parts:
        stored = stored.get(part, {}) if isinstance(stored, dict) else {}
    return bool(stored) or (conf_folder() / file).is_file()


def _targets(node: Any) -> Iterator[str]:
    """Yield every name under `_target_` in a file, except names with an interpolation."""
    plain: Any = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    pairs = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from _targets(value)
        elif key == TARGET and isinstance(value, str) and "${" not in value:
            yield value
