"""A small tree in the layout of CUB-200-2011: coloured rectangles on noise, a box for each."""

from pathlib import Path

import numpy as np
from PIL import Image

FOLDERS = ["001.Red_bird", "002.Green_bird", "003.Blue_bird"]
TRAIN, TEST = 6, 3  # images of each class
HEIGHT, WIDTH = 40, 56


def write_birds(root: Path, seed: int = 0) -> Path:
    """Write the images and text files; a third of each image is the object."""
    rng = np.random.default_rng(seed)
    lines: dict[str, list[str]] = {
        "classes.txt": [f"{label + 1} {folder}" for label, folder in enumerate(FOLDERS)],
        "images.txt": [],
        "image_class_labels.txt": [],
        "train_test_split.txt": [],
        "bounding_boxes.txt": [],
    }
    for number in range(1, len(FOLDERS) * (TRAIN + TEST) + 1):
        label, turn = (number - 1) % len(FOLDERS), (number - 1) // len(FOLDERS)
        name = f"{FOLDERS[label]}/bird_{number:04d}.png"
        x, y = int(rng.integers(0, WIDTH - 24)), int(rng.integers(0, HEIGHT - 20))
        pixels = rng.integers(0, 120, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        pixels[y : y + 20, x : x + 24, label] = 230
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / "images" / name)
        lines["images.txt"].append(f"{number} {name}")
        lines["image_class_labels.txt"].append(f"{number} {label + 1}")
        lines["train_test_split.txt"].append(f"{number} {int(turn < TRAIN)}")
        lines["bounding_boxes.txt"].append(f"{number} {x}.0 {y}.0 24.0 20.0")
    for file, content in lines.items():
        (root / file).write_text("".join(f"{line}\n" for line in content))
    return root
