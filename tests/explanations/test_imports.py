"""What is imported to explain pictures."""

import subprocess
import sys

import pytest

HEAVY = {"matplotlib", "pandas", "pytorch_lightning", "scipy", "sklearn", "torchmetrics"}
PROGRAM = """
import sys
import gapnet.cli.app, gapnet.cli.commands.predict
import gapnet.config.picture_jobs, gapnet.jobs.picture_job
print(*sys.modules)
"""


@pytest.mark.slow
def test_pictures_are_explained_without_what_only_training_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.split())
