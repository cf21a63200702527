"""Entry point of `gapnet`, `python -m gapnet`, train.py and evaluate.py.

gapnet.cli is imported inside the function, so that Ctrl-C is handled during its import.
"""

import sys
from importlib import import_module


def main(command: str | None = None) -> None:
    """Run a command, or else the one that the arguments name; Ctrl-C ends it with one line."""
    try:
        cli = import_module("gapnet.cli.main")
        if command is None:
            cli.main()
        else:
            cli.run(command)
    except KeyboardInterrupt:
        sys.stderr.write(f"{' '.join(filter(None, ('gapnet', command)))}: SIGINT: stopped\n")
        sys.exit(130)  # 128 + SIGINT


if __name__ == "__main__":
    main()
