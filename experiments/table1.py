"""Fill table 1 of the paper: python experiments/table1.py data=ilsvrc data.root=DIR [--dry-run]."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gapnet.cli.main import run

sys.argv.insert(1, "table=table1")
run("table")
