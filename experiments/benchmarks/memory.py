"""Memory of an evaluation of many small images, over its whole length.

    python experiments/benchmarks/memory.py --images 50000

An untrained network predicts and scores drawn images (the stand-in data set, 32 pixels); the
proportional set size of all its processes is taken once a second. Flat means: after the first fifth
of the images, memory grows by no more than the rows that scoring needs.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

CHECKOUT = Path(__file__).resolve().parents[2]
MIB = 2**10  # in KiB, of which /proc speaks
SIDE = 32  # pixels of an image
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the images, at which memory is printed


def main() -> None:
    """Draw, evaluate, and print memory against images predicted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--data", type=Path, help="keep the drawn images in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gapnet-memory-") as folder:
        home = Path(folder)
        command = _prepare(home, arguments.images, (arguments.data or home / "data").absolute())
        samples, status = _watch(command, home)
        _print(samples, arguments.images)
        print((home / "evaluate.txt").read_text()[-600:])
    sys.exit(status)


def _prepare(home: Path, images: int, data: Path) -> list[str]:
    """Draw the images and save an untrained network; give the command that evaluates it."""
    arguments = [
        *("data.scenes=sparse", f"data.size={SIDE}", f"model.input_size={SIDE}", "data.classes=2"),
        *("data.train=2", "data.val=2", f"data.test={images}", f"paths.data={data}"),
        *("trainer.max_epochs=0", "checkpoint=last", "evaluate=false", "loader.batch_size=64"),
    ]
    train = [sys.executable, str(CHECKOUT / "train.py"), *arguments]
    subprocess.run(train, cwd=home, check=True)
    return [sys.executable, str(CHECKOUT / "evaluate.py"), "run=runs/latest", f"paths.data={data}"]


def _watch(command: list[str], home: Path) -> tuple[list[tuple[int, int]], int]:
    """Run a command; list images predicted and KiB of memory, once a second, and its status."""
    samples = []
    with (home / "evaluate.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=home, stdout=output, stderr=output)
        while process.poll() is None:
            samples.append((_predicted(home), _memory(process.pid)))
            time.sleep(1)
    return samples, process.returncode


def _predicted(home: Path) -> int:
    """Count the images in the parts that are written."""
    parts = home.glob("runs/*/*/evaluations/*/predictions/test/part-*.parquet")
    return sum(pq.read_metadata(part).num_rows for part in parts)


def _memory(process: int) -> int:
    """Add up the proportional set sizes of a process and its children, in KiB."""
    total = 0
    for number in [process, *_children(process)]:
        try:
            lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def _children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [number for child in map(int, text.split()) for number in (child, *_children(child))]


def _print(samples: list[tuple[int, int]], images: int) -> None:
    print("images predicted  memory (MiB)")
    for share in SHARES:
        own = [memory for count, memory in samples if count >= share * images]
        print(f"{share * images:16,.0f}  {own[0] / MIB:12,.0f}" if own else f"{share:.0%}: none")
    print(f"{'highest':>16}  {max(memory for _, memory in samples) / MIB:12,.0f}")


if __name__ == "__main__":
    main()
