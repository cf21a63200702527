"""Hints for unknown names: keys, choices of a group, flags."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gapnet.config.conf_folder import conf_folder
from gapnet.errors import GapnetError

CHOICE = re.compile(r"Could not find '(?P<group>.+)/(?P<choice>[^/]+)'\s+Available options in")
CHOICE_IN_LIST = re.compile(r"Could not load '(?P<group>[^/']+)/(?P<choice>[^']+)'")
FLAGS = (  # flags of Hydra
    *("--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run"),
    *("--multirun", "--shell-completion", "--config-path", "--config-name", "--config-dir"),
    *("--experimental-rerun", "--info", "-h", "-c", "-p", "-r", "-m", "-sc", "-cp", "-cn", "-cd"),
    "-i",
)


def unknown_key(error: OmegaConfBaseException) -> str:
    """Return the message for an unknown key, with the keys that exist."""
    parent = error.parent_node
    siblings = [str(name) for name in parent or () if name != "hydra"]
    near = difflib.get_close_matches(str(error.key), siblings, n=1)
    near = near or list(_keys_like(str(error.key), parent))
    hint = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"{error.full_key}: no such key; {hint}the keys are: {', '.join(siblings)} "
        "(+KEY=... adds one)"
    )


def unknown_choice(text: str) -> str | None:
    """Shorten Hydra's error about an unknown choice, and add a hint; None for other errors."""
    if match := CHOICE.search(text):
        listed = text[match.end() :].partition("Config search path")[0].splitlines()[1:]
        options = [line.strip() for line in listed if line.strip()]
    elif match := CHOICE_IN_LIST.search(text):
        options = sorted(file.stem for file in (conf_folder() / match["group"]).glob("*.yaml"))
    else:
        return None
    near = difflib.get_close_matches(match["choice"], options, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    name = f"{match['group']}={match['choice']}"
    return f"{name}: no such choice; {hint}the choices are: {', '.join(options)}"


def check_flags(command: str, arguments: Sequence[str]) -> None:
    """Refuse flags that Hydra does not know, such as `--seed 1` instead of seed=1."""
    for index, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if argument.startswith("-") and not any(known.startswith(flag) for known in FLAGS):
            value = value or next(iter(arguments[index + 1 :]), "")
            raise GapnetError(f"{flag}: no such flag; {_key_for(command, flag, value)}")


def _key_for(command: str, flag: str, value: str) -> str:
    """Return a hint: the key that the user probably meant by a flag."""
    word = flag.lstrip("-").replace("-", "_")
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        near = list(_keys_like(word, compose(command)))
    shown = value if value and "=" not in value and not value.startswith("-") else "..."
    return f"did you mean {near[0]}={shown}?" if near else "write keys as KEY=VALUE"


def _keys_like(word: str, cfg: Any) -> Iterator[str]:
    """Yield the full keys of a configuration whose last part is a word or ends in _WORD."""
    values: Any = OmegaConf.to_container(cfg) if isinstance(cfg, DictConfig) else {}
    values.pop("hydra", None)
    keys = list(_leaves(values, ""))
    yield from (key for key in keys if key.rpartition(".")[2] == word)
    yield from (key for key in keys if key.endswith(f"_{word}"))


def _leaves(node: Any, prefix: str) -> Iterator[str]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
