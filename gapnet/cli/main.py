"""Command line: run the command that the arguments name.

Every file in gapnet/cli/commands is a command; the first line of its docstring is its summary.
"""

import ast
import atexit
import gc
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from gapnet.cli import commands
from gapnet.cli.help import help_text, print_help
from gapnet.system.signals import end_interrupted
from gapnet.version import __version__

OBJECTS = 10_000  # new objects between two garbage collections; Python's default is 700
USAGE = """gapnet {version}: train and evaluate class-activation-map networks

Usage: gapnet COMMAND [KEY=VALUE ...]

{lines}

Run `gapnet COMMAND --help` for examples and options of a command."""


def main() -> None:
    """Run the command that the arguments name, or print the list of commands."""
    names = command_names()
    match sys.argv[1:]:
        case [name, *arguments] if name in names:
            sys.argv = [sys.argv[0], *arguments]
            run(name)
        case [] | ["-h" | "--help"]:
            lines = [f"  gapnet {name:10} {summary_of(name)}" for name in names]
            print_help(USAGE.format(version=__version__, lines="\n".join(lines)))
        case ["--version"]:
            print(f"gapnet {__version__}")
        case [name, *_]:
            sys.exit(f"gapnet: no command {name!r}; the commands are: {', '.join(names)}")


def command_names() -> list[str]:
    """Return the names of the commands, which are the names of their files."""
    return sorted(module.name for module in iter_modules(commands.__path__))


def summary_of(command: str) -> str:
    """Return the first line of a command's docstring; importing the command would take seconds."""
    path = Path(commands.__path__[0], f"{command}.py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def run(command: str) -> None:
    """Run a command with sys.argv[1:]; Hydra is imported only if it is needed."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print_help(help_text(command, _config_dir(sys.argv[1:])))
        return
    _collect_less_garbage()
    try:
        launch = import_module("gapnet.cli.app").launch
        module = import_module(f"{commands.__name__}.{command}")
    except KeyboardInterrupt:
        end_interrupted(command)
    launch(command, module)


def _collect_less_garbage() -> None:
    """Collect garbage rarely, and not at exit.

    The objects of imported modules are many and never garbage: collecting them takes 40% of the
    time of starting and ending a process that imports torch and Lightning.
    """
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)


def _config_dir(arguments: Sequence[str]) -> str | None:
    """Return the value of Hydra's flag --config-dir."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", "-cd")
    folder: str | None = parser.parse_known_args(arguments)[0].config_dir
    return folder
