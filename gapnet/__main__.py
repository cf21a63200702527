"""Entry point of `gapnet`, `python -m gapnet`, train.py and evaluate.py.

gapnet.cli is imported inside the function, so that Ctrl-C is handled during its import.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

COMMANDS = Path(__file__).with_name("cli") / "commands"
FLAGS = {"-m", "--multirun", "-cd", "--config-dir"}  # other flags only show something
RANKS = ("RANK", "SLURM_PROCID")


def main(command: str | None = None) -> None:
    """Run a command, or else the one that the arguments name; Ctrl-C ends it with one line."""
    try:
        say_start(*([command] if command else []), *sys.argv[1:])
        cli = import_module("gapnet.cli.main")
        if command is None:
            cli.main()
        else:
            cli.run(command)
    except KeyboardInterrupt:
        sys.stderr.write(f"{' '.join(filter(None, ('gapnet', command)))}: SIGINT: stopped\n")
        sys.exit(130)  # 128 + SIGINT


def say_start(*arguments: str) -> None:
    """Print on stderr that a command starts; the imports that follow can take a minute."""
    command, *rest = arguments or ("",)
    flags = {argument.partition("=")[0] for argument in rest if argument.startswith("-")}
    is_command = command.isidentifier() and (COMMANDS / f"{command}.py").is_file()
    if is_command and not flags - FLAGS and _is_first_rank():
        with suppress(OSError, AttributeError):  # stderr is closed, or a file on a full disk
            sys.stderr.write(f"starting gapnet {command}\n")
            sys.stderr.flush()


def _is_first_rank() -> bool:
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


if __name__ == "__main__":
    main()
