"""The commands."""

import sys
from importlib import import_module

from gapnet import __version__

COMMANDS = {
    "train": "train a network, evaluate it and write a report",
    "evaluate": "evaluate a trained network again",
    "compare": "compare two runs image by image",
    "export": "write a trained network, or predictions, in formats that others read",
    "table": "fill a table of the paper, ours beside the paper's",
    "search": "search hyper-parameters: many trainings, compared on the validation split",
    "shard": "write a data set as WebDataset shards, to be read from a disk or a URL",
    "doctor": "check a data set and the installation before days of training",
}
USAGE = f"""gapnet {__version__}: class-activation-map networks, trained and evaluated

{chr(10).join(f"  gapnet {name:10} {what}" for name, what in COMMANDS.items())}

`gapnet COMMAND --help` tells what a command takes."""


def main() -> None:
    """Run the command that the arguments name."""
    match sys.argv[1:]:
        case [name, *arguments] if name in COMMANDS:
            sys.argv = [sys.argv[0], *arguments]
            run(name)
        case [] | ["-h" | "--help"]:
            print(USAGE)
        case ["--version"]:
            print(f"gapnet {__version__}")
        case [name, *_]:
            sys.exit(f"gapnet: no command {name!r}; there are: {', '.join(COMMANDS)}")


def run(command: str) -> None:
    """Run a command on the rest of the arguments."""
    from gapnet.cli.app import launch

    launch(command, import_module(f"gapnet.cli.commands.{command}"))
