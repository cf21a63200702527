"""Child processes that do not outlive their parent, however that ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ENTRY = "gapnet.cli.child"  # runs a command, bound to its parent
GRACE = 10  # seconds that a process has to end when it is asked to
PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal to be sent when the parent dies


def end_with_parent(parent: int) -> None:
    """End this process as soon as its parent, of that number, is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that started this one is gone")  # before it could be bound


def gapnet_command(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a gapnet command that ends when this process ends."""
    return [sys.executable, "-m", ENTRY, str(os.getpid()), name, *arguments]


def call(command: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    return subprocess.run(command, check=False).returncode


def start(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a command in a session of its own: the terminal's signals do not reach it."""
    return subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)


@contextmanager
def running(command: Sequence[str], output: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a command that writes to a file; it is ended with the block."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this process
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def output_of(command: Sequence[str], folder: Path) -> str | None:
    """Run a command in a folder; return what it prints, or None if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
