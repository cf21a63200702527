"""The help of a command, without Hydra, which would take seconds."""

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import yaml

from gapnet.config.conf_folder import conf_folder

HIDDEN = ("hydra", "_self_", "paths")
WIDTH = 100


def help_text(command: str, more: str | None = None) -> str:
    """Return the help of a command.

    Args:
        command: the name.
        more: a folder of the user's with further choices, as of --config-dir.
    """
    hydra = _read(conf_folder() / f"{command}.yaml").get("hydra")
    hydra = hydra or _read(conf_folder() / "hydra" / f"{command}.yaml")
    folders = [conf_folder(), *([Path(more)] if more else [])]
    groups = "\n".join(_groups(command, folders))
    template = Template(hydra["help"]["template"])
    return template.substitute(APP_CONFIG_GROUPS=groups).rstrip() + "\n"


def print_help(text: str) -> None:
    """Print a help; a reader that closes the pipe early, as `head` does, is no error."""
    try:
        print(text.rstrip(), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed at exit


def _groups(command: str, folders: list[Path]) -> Iterator[str]:
    """Yield a line for each group of a command: its name, and what there is to choose."""
    defaults = _read(conf_folder() / f"{command}.yaml").get("defaults", [])
    names = {name for entry in defaults if isinstance(entry, dict) for name in entry}
    for name in sorted(names - {*HIDDEN}):
        choices = {file.stem for folder in folders for file in (folder / name).glob("*.yaml")}
        line = f"{name}: {', '.join(sorted(choices))}"
        yield textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values
