"""Times of ways to compute the same thing, taken in turns in one process."""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import cv2
import torch

from gapnet.runs.environment import environment

REPEATS = 5
FOLDER = Path("runs/benchmarks")
PACKAGES = (
    "opencv-python-headless",
    "numba",
    "grad-cam",
    "torchcam",
    "simplejpeg",
    "pillow",
    "torchvision",
)
OURS = "gapnet"
Work = Callable[[], object]


class Row(NamedTuple):
    """A row of a table: what is done, seconds of CPU time by way, the way to beat, and the goal."""

    what: str
    seconds: Mapping[str, float]
    peer: str
    ours: str = OURS
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """Return our time as a share of the peer's."""
        return self.seconds[self.ours] / self.seconds[self.peer]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that all scripts have."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the JSON file")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of each measurement")
    return parser


def options_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line, and use one thread."""
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    return options


def alternate(ways: Mapping[str, Work], *, repeats: int, number: int = 1) -> dict[str, float]:
    """Return the median CPU seconds of each way, which runs `number` times in each of its turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):  # the first warms up
        for name, work in ways.items():
            gc.collect()
            begun = time.process_time()
            for _ in range(number):
                work()
            if turn:
                seconds[name].append((time.process_time() - begun) / number)
    return {name: statistics.median(times) for name, times in seconds.items()}


def publish(name: str, rows: list[Row], folder: Path) -> None:
    """Print the rows as a Markdown table, and write them to a JSON file with the environment."""
    print("| | gapnet (ms) | peer (ms) | ratio | goal |")
    print("|---|---|---|---|---|")
    for row in rows:
        ours, peer = row.seconds[row.ours] * 1000, row.seconds[row.peer] * 1000
        goal = "" if row.goal is None else f"{row.goal:.2f}"
        print(f"| {row.what} | {ours:.3f} | {peer:.3f} | {row.ratio:.2f} | {goal} |")
    content = {
        "rows": [row._asdict() | {"ratio": row.ratio} for row in rows],
        "environment": environment(None) | {"processor": _processor(), "versions": _versions()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def _processor() -> str:
    """Return the name of the processor, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def _versions() -> dict[str, str | None]:
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
