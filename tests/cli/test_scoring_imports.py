"""What is imported to score predictions.

A file that scoring imports names networks for the type checker only, if TYPE_CHECKING.
"""

import subprocess
import sys

from tests.cli.conftest import CHECKOUT, Trained

HEAVY = {"lightning_fabric", "pytorch_lightning", "timm", "torchmetrics", "torchvision"}
PROGRAM = """
import sys
from gapnet.__main__ import main
main("evaluate")
print("modules", *sys.modules)
"""


def test_predictions_are_scored_without_lightning_and_networks(trained: Trained) -> None:
    arguments = [f"predictions={trained.run}", f"folder={trained.home / 'scored'}"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, f"paths.runs={trained.home}"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported = done.stdout.splitlines()[-1].split()
    assert imported[0] == "modules"
    assert HEAVY & {*imported} == set()
    scored, trained_metrics = trained.home / "scored" / "metrics.json", trained.run / "metrics.json"
    assert scored.read_bytes() == trained_metrics.read_bytes()
