import subprocess
import sys

import pytest

from gapnet.jobs.resume import _is_passing

CLOSED = """
import os
from gapnet.system.signals import _leave_terminal
os.close(1)
_leave_terminal()
"""


def test_a_closed_output_is_no_error_when_the_terminal_closes() -> None:
    assert subprocess.run([sys.executable, "-c", CLOSED], check=False).returncode == 0


@pytest.mark.parametrize(
    ("cause", "passing"),
    [
        (PermissionError(13, "denied"), True),
        (OSError(5, "Input/output error"), True),
        (MemoryError(), True),
        (FileNotFoundError(), False),
        (ValueError("its checksum is wrong"), False),
        (None, False),
    ],
)
def test_only_an_error_of_reading_leaves_a_checkpoint_where_it_is(
    cause: BaseException | None, *, passing: bool
) -> None:
    assert _is_passing(cause) == passing
