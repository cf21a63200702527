"""Child processes that end when their parent ends, even if it is killed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ENTRY = "gapnet.cli.child"  # the module that runs a command and ends with its parent
GRACE = 10  # seconds between SIGTERM and SIGKILL
Process = subprocess.Popen[bytes]
PR_SET_PDEATHSIG = 1  # option of Linux's prctl: signal that is sent when the parent ends


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends; `parent` is the parent's process id."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent process has ended")  # it ended before prctl was called


def gapnet_command(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a gapnet command that ends when this process ends."""
    return [sys.executable, "-m", ENTRY, str(os.getpid()), name, *arguments]


def call(command: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    return subprocess.run(command, check=False).returncode


def start(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start a command in a new session, where signals of the terminal do not reach it."""
    return subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)


@contextmanager
def running(command: Sequence[str], output: Path) -> Iterator[Process]:
    """Run a command during the block, with its output in a file."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C then reaches this process only
        )
    try:
        yield process
    finally:
        terminate(process)


def run_for(command: Sequence[str], output: Path, seconds: float | None) -> int | None:
    """Run a command with its output in a file; return its status, or None if it took too long.

    After `seconds`, it is interrupted.
    """
    with running(command, output) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def terminate(process: Process) -> None:
    """Terminate a process; kill it if it does not end."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def output_of(command: Sequence[str], folder: Path) -> str | None:
    """Return what a command prints when it runs in a folder, or None if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
