"""Pack finished runs into a few small tar files, without optimizer states: pack_runs.py RUNS OUT.

The archives are small enough to be copied from a rented machine. Unpack them into a folder of runs
(tar -xf runs-0.tar -C runs): `gapnet table` then evaluates these runs.
"""

import sys
import tarfile
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gapnet.models.checkpoint_file import pack_checkpoint, read_checkpoint
from gapnet.runs.layout import CHECKPOINTS, LAST, TRAINED

MOST = 15 * 2**20  # bytes of an archive
LEFT_OUT = {CHECKPOINTS, "predictions", "report.html", "pictures.jpg"}
UNUSED = ("optimizer_states", "lr_schedulers")  # by an evaluation


def pack(runs: Path, out: Path) -> None:
    """Pack every finished run of a folder, into the first archive with room for it."""
    out.mkdir(parents=True, exist_ok=True)
    archives: list[Path] = []
    for summary in sorted(runs.glob(f"*/*/{TRAINED}")):
        content = _small_checkpoint(summary.parent)
        fits = (path for path in archives if path.stat().st_size + len(content) < MOST)
        path = next(fits, out / f"runs-{len(archives)}.tar")
        archives += [] if path in archives else [path]
        with tarfile.open(path, "a") as archive:
            _add(archive, summary.parent, runs, content)
        print(f"{path.name}: {summary.parent.relative_to(runs)}, {len(content) >> 10} KiB")


def _small_checkpoint(run: Path) -> bytes:
    checkpoint = read_checkpoint(run / CHECKPOINTS / f"{LAST}.ckpt")
    return pack_checkpoint({**checkpoint, **{key: [] for key in UNUSED}}).getvalue()


def _add(archive: tarfile.TarFile, run: Path, runs: Path, content: bytes) -> None:
    for path in sorted(run.rglob("*")):
        parts = path.relative_to(run).parts
        if path.is_file() and not LEFT_OUT & set(parts) and not path.name.startswith("events."):
            archive.add(path, str(path.relative_to(runs)))
    entry = tarfile.TarInfo(str(run.relative_to(runs) / CHECKPOINTS / f"{LAST}.ckpt"))
    entry.size = len(content)
    archive.addfile(entry, BytesIO(content))


if __name__ == "__main__":
    pack(*map(Path, sys.argv[1:3]))
