"""Time to open the cached index of a training split as large as ILSVRC's.

python experiments/benchmarks/index.py [--images 1281167]

The tree has ILSVRC's 1000 class folders, which are empty; the index is synthetic.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from side_by_side import FOLDER, Row, publish

from gapnet.data.index import CACHE, cached, fingerprint, records_from_columns
from gapnet.data.records import Records

CLASSES = 1000
GOAL, OURS = 2.0, "gapnet"  # seconds


def main() -> None:
    """Write an index, open it several times, and print the median."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_281_167)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "data")
        os.environ[CACHE] = str(Path(name, "cache"))
        for index in range(CLASSES):
            (root / "train" / f"n{index:08d}").mkdir(parents=True)
        written = _open(root, options.images)
        times = sorted(_time_opening(root, options.images, written) for _ in range(options.repeats))
        seconds = times[len(times) // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"open the cached index of {options.images:,} images (peer: the goal)"
    publish("index", [Row(what, {OURS: seconds, "goal": GOAL}, "goal", goal=1.0)], options.to)
    print(f"peak memory with imports and with the writing of the index: {peak:.0f} MiB")


def _open(root: Path, images: int) -> Records:
    """Return the records, from the cache if they are there, as a data set does."""
    state = fingerprint(folders=[root / "train"])
    return cached(["train"], lambda: _draw(root, images), root, state=state)


def _time_opening(root: Path, images: int, written: Records) -> float:
    begun = time.process_time()
    records = _open(root, images)
    seconds = time.process_time() - begun
    assert records == written
    return seconds


def _draw(root: Path, images: int) -> Records:
    """Return an index as ILSVRC's, with a box for two images in five."""
    labels = [row * CLASSES // images for row in range(images)]
    ids = [f"n{label:08d}_{row}" for row, label in enumerate(labels)]
    return records_from_columns(
        root,
        ids=ids,
        paths=[f"train/n{label:08d}/{id_}.JPEG" for label, id_ in zip(labels, ids, strict=True)],
        labels=labels,
        boxes=[[0.0, 1.0, 99.0, 98.0] if row % 5 < 2 else None for row in range(images)],  # noqa: PLR2004
        blacklisted=[False] * images,
    )


if __name__ == "__main__":
    main()
