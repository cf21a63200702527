"""Child processes that end in time, with all the processes that they started."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

SHOWN = 300  # characters of a child's last line


class StageFailedError(Exception):
    """Say in a line why a stage failed."""


class TimeUpError(StageFailedError):
    """Say that a stage was not done in time."""


class StageSkippedError(Exception):
    """Say in a line why a stage cannot run here."""


@contextmanager
def child(
    command: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command, its output appended to a log; kill what is left of it at the end."""
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGKILL to a child and the processes that it started, unless it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def finish(process: "subprocess.Popen[bytes]", *, log: Path, deadline: float) -> None:
    """Wait for a child; that it fails, or is not done at the deadline, is an error.

    Args:
        process: the child.
        log: of its output, whose last line says why it failed.
        deadline: by `time.monotonic()`.
    """
    left = max(0.0, deadline - time.monotonic())
    try:
        status = process.wait(timeout=left)
    except subprocess.TimeoutExpired as error:
        raise TimeUpError("was not done in time") from error
    if status:
        raise StageFailedError(f"status {status}: {last_line(log)}")


def last_line(log: Path) -> str:
    """Give the last line of a log that is not empty."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")[:SHOWN]
