"""Run a command that ends with the process that started it, however that ends.

`python -m gapnet.cli.bound PARENT COMMAND [ARGUMENT ...]`
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal to be sent when the parent dies


def bound(name: str, arguments: Sequence[str]) -> list[str]:
    """Give the command line of a gapnet command that ends with this process."""
    return [sys.executable, "-m", "gapnet.cli.bound", str(os.getpid()), name, *arguments]


def main() -> None:
    """Bind this process to its parent, and run the command."""
    parent = int(sys.argv.pop(1))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that started this one is gone")  # before it could be bound
    from gapnet.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
