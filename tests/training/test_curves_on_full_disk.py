"""A training stops at a row of metrics.csv that it cannot write: to resume it needs all rows."""

import errno
import os
from pathlib import Path

import pytest

from gapnet.training.metrics_csv import Curves

LONG = 10**4  # digits of a value, with which a row takes more room than a page of the disk has left


def test_the_error_names_the_file_and_nothing_follows_a_torn_row(small_disk: Path) -> None:
    path = small_disk / "logs" / "metrics.csv"
    curves, whole = Curves(path), ""

    def log_until_full() -> None:
        nonlocal whole
        for step in range(10):
            whole = curves.text
            curves.log_metrics({"train/loss": f"{step}" * LONG}, step)
            curves.save()

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        log_until_full()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert curves.text == whole != ""
    torn = path.read_bytes()
    curves.finalize("failed")
    assert path.read_bytes() == torn
    assert torn.decode().startswith(whole)
