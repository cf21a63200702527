"""Run a command that ends with the process that started it, however that ends.

`python -m gapnet.cli.bound PARENT COMMAND [ARGUMENT ...]`
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal to be sent when the parent dies


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
