"""Child processes that do not outlive their parent, however that ends."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal to be sent when the parent dies


def end_with_parent(parent: int) -> None:
    """End this process as soon as its parent, of that number, is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that started this one is gone")  # before it could be bound
