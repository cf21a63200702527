"""Fine-tune on photographs, and measure localization: photographs.py data=folder data.root=DIR."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gapnet.cli.main import run

sys.argv.insert(1, "table=photographs")
run("table")
