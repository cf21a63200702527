"""Arguments that a command does not take itself, but hands on to the commands that it runs."""

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
    """Part the arguments into those of keys of one's own, flags among them, and the others."""
    kept = [each for each in arguments if root_of(each) in {None, *own}]
    return kept, [each for each in arguments if each not in kept]


def own_keys(command: str) -> set[str]:
    """List the groups and keys that a command's configuration has."""
    keys: Any = OmegaConf.to_container(
        OmegaConf.load(conf_folder() / f"{command}.yaml"), resolve=False
    )
    groups = {name for each in keys.pop("defaults") if each != "_self_" for name in each}
    return groups | {str(each) for each in keys}


def root_of(argument: str) -> str | None:
    """Name the group or the topmost key that an override is of; None for what is no override.

    >>> root_of("+optim.lr=0.1"), root_of("data@b=cub"), root_of("-m")
    ('optim', 'data', None)
    """
    if argument.startswith("-") or ("=" not in argument and not argument.startswith("~")):
        return None
    key = argument.partition("=")[0].lstrip("+~")
    return key.partition("@")[0].partition("/")[0].partition(".")[0]


def override_key(override: str) -> str:
    """Name the key in full."""
    key: str = parse(override).key_or_group
    return key


def parse(override: str) -> Override:
    """Parse an override as Hydra does."""
    return OverridesParser.create().parse_override(override)


def refuse_sweep(override: str, advice: str) -> None:
    """Refuse an override of several values."""
    if parse(override).is_sweep_override():
        raise GapnetError(f"{override}: {advice}")


def refuse_secrets(overrides: Sequence[str]) -> None:
    """Refuse secrets where overrides are written down as they are."""
    for override, shown in zip(overrides, redact_arguments(overrides), strict=True):
        if shown != str(override):
            raise GapnetError(
                f"{shown}: must not be given to a sweep or a search, which keep the overrides of "
                "each job; put the secret into the environment"
            )


def quoted(text: str) -> str:
    """Quote a text for an override."""
    return QuotedString(text=text, quote=Quote.single).with_quotes()


def repeated_command(cfg: DictConfig) -> list[str]:
    """List the arguments with which another process does the same job, also one of a sweep."""
    composed = HydraConfig.get()
    folders = [f"--config-dir={folder}" for folder in own_folders()]
    own = f"folder={quoted(str(Path(cfg.folder).absolute()))}"
    return [*folders, *composed.overrides.task, own]
