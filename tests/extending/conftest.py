"""A copy of the checkout with the example files in it, and a data set that they can read."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples" / "extending"
COPIED = ("gapnet", "conf", "train.py", "evaluate.py")
SIDE, BOX = 48, (10, 12, 29, 35)  # pixels of an image; its one box, the last pixels included
COLOURS = {"blue": (20, 20, 220), "red": (220, 20, 20)}
SPLITS = {"train": 8, "val": 4, "test": 4}  # images of each class
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the checkout, and then the examples; no file that was there may be replaced."""
    folder = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for example in (path for path in EXAMPLES.rglob("*") if path.suffix in {".py", ".yaml"}):
        target = folder / example.relative_to(EXAMPLES)
        assert target.parent.is_dir(), f"{target.parent} is a folder that gapnet does not have"
        assert not target.exists(), f"{target} is a file of gapnet's own"
        shutil.copy(example, target)
    return folder


@pytest.fixture(scope="session")
def run(extended: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs Python in an empty folder, with the copy in place of gapnet."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "PYTHONPATH": str(extended)}

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return python


@pytest.fixture(scope="session")
def my_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw rectangles in the layout of gapnet/data/sources/my_data.py."""
    root = tmp_path_factory.mktemp("my_data")
    for split, count in SPLITS.items():
        with (root / f"{split}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["image", "class", "x1", "y1", "x2", "y2"])
            for number in range(count):
                for name, colour in COLOURS.items():
                    image = f"{split}-{name}-{number}.png"
                    draw(root / image, colour)
                    rows.writerow([image, name, *BOX])
    return root


def draw(path: Path, colour: tuple[int, int, int]) -> None:
    pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
    x1, y1, x2, y2 = BOX
    pixels[y1 : y2 + 1, x1 : x2 + 1] = colour
    Image.fromarray(pixels).save(path)
