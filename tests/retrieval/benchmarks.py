"""Small data sets in the layouts of Oxford5k, its revisited version and Holidays.

Each place is a colour, so that the neighbours are known: images of one place look alike.
"""

import pickle
from pathlib import Path

import numpy as np
from PIL import Image

PLACES = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}
IMAGES = 5  # of each place
SIDE = 40
BOX = (8, 6, 31, 35)


def write_image(path: Path, colour: tuple[int, int, int], seed: int) -> None:
    """Write an image of a colour with some noise."""
    noise = np.random.default_rng(seed).integers(-20, 20, (SIDE, SIDE, 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_places(root: Path) -> list[str]:
    """Write all images; return their names."""
    names = []
    for place, colour in PLACES.items():
        for number in range(IMAGES):
            names.append(f"{place}_{number:06d}")
            write_image(root / place / f"{names[-1]}.png", colour, seed=len(names))
    return names


def write_oxford(root: Path) -> Path:
    """Write Oxford's layout: image 0 of a place is the query; 4 is junk."""
    write_places(root)
    truth = root / "gt"
    truth.mkdir()
    for place in PLACES:
        corners = " ".join(map(str, BOX))
        (truth / f"{place}_1_query.txt").write_text(f"oxc1_{place}_000000 {corners}\n")
        for group, numbers in {"good": (0, 1), "ok": (2, 3), "junk": (4,)}.items():
            lines = "".join(f"{place}_{number:06d}\n" for number in numbers)
            (truth / f"{place}_1_{group}.txt").write_text(lines)
    return root


def revisited_content(names: list[str]) -> dict[str, object]:
    """Return ground truth as the authors' files have it: image 0 of a place is the query."""
    base = [name for name in names if not name.endswith("_000000")]
    place_of = [PLACE.partition("_")[0] for PLACE in base]
    entries = []
    for place in PLACES:
        own = [index for index, other in enumerate(place_of) if other == place]
        groups = {"easy": np.array(own[:2]), "hard": own[2:3], "junk": own[3:]}
        entries.append({"bbx": np.array(BOX, float), **groups})
    queries = [f"{place}_000000" for place in PLACES]
    return {"imlist": base, "qimlist": queries, "gnd": entries}


def write_revisited(root: Path) -> Path:
    """Write the layout of revisited Oxford."""
    content = revisited_content(write_places(root))
    (root / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(content))
    return root


def write_holidays(root: Path) -> Path:
    """Write Holidays' layout: three images of each place."""
    for index, colour in enumerate(PLACES.values()):
        for number in range(3):
            name = f"{100000 + 100 * index + number}.png"
            write_image(root / name, colour, seed=10 * index + number)
    return root
