"""Help text of a command, without Hydra, whose import takes seconds."""

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import yaml

from gapnet.config.conf_folder import conf_folder

HIDDEN = ("hydra", "_self_", "paths")  # groups without a choice for users
WIDTH = 79  # columns


def help_text(command: str, config_dir: str | None = None) -> str:
    """Return the help text of a command.

    Args:
        command: name of the command.
        config_dir: the user's folder with more choices, from --config-dir.
    """
    hydra = _read(conf_folder() / f"{command}.yaml").get("hydra")
    hydra = hydra or _read(conf_folder() / "hydra" / f"{command}.yaml")
    folders = [conf_folder(), *([Path(config_dir)] if config_dir else [])]
    groups = "\n".join(_groups(command, folders))
    template = Template(hydra["help"]["template"])
    return template.substitute(APP_CONFIG_GROUPS=groups).rstrip() + "\n"


def print_help(text: str) -> None:
    """Print a help text; no error if the reader closes the pipe early, as `head` does."""
    try:
        print(text.rstrip(), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it at exit


def _groups(command: str, folders: list[Path]) -> Iterator[str]:
    """Yield a line per group of a command: its name and its choices."""
    defaults = _read(conf_folder() / f"{command}.yaml").get("defaults", [])
    names = {name for entry in defaults if isinstance(entry, dict) for name in entry}
    for name in sorted(names - {*HIDDEN}):
        choices = {file.stem for folder in folders for file in (folder / name).glob("*.yaml")}
        line = f"{name}: {', '.join(sorted(choices))}"
        yield textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values
