"""Parse overrides, and split off those that a command passes on to the commands that it runs."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from omegaconf import DictConfig, OmegaConf

from gapnet.config.conf_folder import conf_folder
from gapnet.config.own_modules import own_folders
from gapnet.errors import GapnetError
from gapnet.text.redact import redact_arguments


def split(arguments: list[str], own: Collection[str]) -> tuple[list[str], list[str]]:
    """Split arguments into flags and overrides of the keys `own`, and all others."""
    own_arguments = [argument for argument in arguments if root_of(argument) in {None, *own}]
    return own_arguments, [argument for argument in arguments if argument not in own_arguments]


def own_keys(command: str) -> set[str]:
    """Return the groups and keys of a command's configuration."""
    keys: Any = OmegaConf.to_container(
        OmegaConf.load(conf_folder() / f"{command}.yaml"), resolve=False
    )
    defaults = [entry for entry in keys.pop("defaults") if entry != "_self_"]
    return {name for entry in defaults for name in entry} | set(map(str, keys))


def root_of(argument: str) -> str | None:
    """Return the group or top-level key that an override changes; None if it is no override.

    >>> root_of("+optim.lr=0.1"), root_of("data@b=cub"), root_of("-m")
    ('optim', 'data', None)
    """
    if argument.startswith("-") or ("=" not in argument and not argument.startswith("~")):
        return None
    key = argument.partition("=")[0].lstrip("+~")
    return key.partition("@")[0].partition("/")[0].partition(".")[0]


def override_key(override: str) -> str:
    """Return the full key of an override."""
    key: str = parse(override).key_or_group
    return key


def parse(override: str) -> Override:
    """Parse an override as Hydra does."""
    return OverridesParser.create().parse_override(override)


def refuse_sweep(override: str, advice: str) -> None:
    """Refuse an override with several values; the error ends with the advice."""
    if parse(override).is_sweep_override():
        raise GapnetError(f"{override}: {advice}")


def refuse_secrets(overrides: Sequence[str]) -> None:
    """Refuse secrets in overrides that are stored unchanged."""
    for override, shown in zip(overrides, redact_arguments(overrides), strict=True):
        if shown != str(override):
            raise GapnetError(
                f"{shown}: a secret must not be on the command line of a sweep or search, which "
                "stores it; put the secret into an environment variable"
            )


def quoted(text: str) -> str:
    """Return a text in quotes, as the value of an override."""
    return QuotedString(text=text, quote=Quote.single).with_quotes()


def repeated_command(cfg: DictConfig) -> list[str]:
    """Return the arguments with which another process runs the same job, or job of a sweep."""
    folder = f"folder={quoted(str(Path(cfg.folder).absolute()))}"
    return [*config_dir_flags(), *HydraConfig.get().overrides.task, folder]


def config_dir_flags() -> list[str]:
    """Return the flag --config-dir of this command, for the commands that it runs."""
    return [f"--config-dir={folder.absolute()}" for folder in own_folders()]
