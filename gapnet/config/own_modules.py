"""Modules of the user's own: those that the folder of `--config-dir` names count as imports.

Only the files of choices that Hydra took from that folder are read. So a run folder, whose groups
are all called "run", cannot add a module, nor can a file in the folder that nobody chose.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from gapnet.config.conf_folder import conf_folder
from gapnet.config.trusted_targets import NAMES, TARGET, lies_in
from gapnet.errors import GapnetError
from gapnet.runs.saved_config import read_saved_config

PROVIDER = "command-line"  # Hydra's word for --config-dir
HYDRA = "hydra"  # Hydra builds what lies in this group


def add_own_modules(cfg: DictConfig) -> None:
    """Add the modules that the user's configuration folder names to `imports`."""
    given = list(cfg.imports)
    added = [name for name in own_modules() if not lies_in(name, given)]
    if added:
        with open_dict(cfg):
            cfg.imports = [*given, *added]


def check_network_imported(run: Path | None) -> None:
    """Refuse a run whose network lies in a module that was not imported, and name the module."""
    model = None if run is None else read_saved_config(run).get("model")
    name = str(model.get(TARGET, "")) if isinstance(model, dict) else ""
    module = name.rpartition(".")[0]
    if module and not lies_in(name, NAMES) and module not in sys.modules:
        raise GapnetError(
            f"run={run}: its network {name} is not gapnet's; if the module is yours, add "
            f"imports=[{module}]"
        )


def own_folders() -> list[Path]:
    """Return the folder that the user named with --config-dir, if any."""
    sources = HydraConfig.get().runtime.config_sources
    return [Path(source.path) for source in sources if source.provider == PROVIDER]


def own_modules() -> list[str]:
    """List the modules that the chosen files of the user's folder name with `_target_`."""
    names = [name for path in _chosen_files() for name in _targets(OmegaConf.load(path))]
    modules = (name.rpartition(".")[0] for name in names if not lies_in(name, NAMES))
    return list(dict.fromkeys(module for module in modules if module))


def _chosen_files() -> Iterator[Path]:
    """Yield the files of the user's folder that were chosen and that nothing comes before."""
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
    """Return whether Hydra takes this choice from conf/ or from what gapnet has stored."""
    stored = ConfigStore.instance().repo
    for part in file.parts:
        stored = stored.get(part, {}) if isinstance(stored, dict) else {}
    return bool(stored) or (conf_folder() / file).is_file()


def _targets(node: Any) -> Iterator[str]:
    """Yield every name under `_target_` in a file; one with an interpolation names no module."""
    plain: Any = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    pairs = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from _targets(value)
        elif key == TARGET and isinstance(value, str) and "${" not in value:
            yield value
