"""Maps of other tools: a file ID.npy for each image, boxed as a network's own would be."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import stem
from gapnet.evaluation.predict import known_row
from gapnet.evaluation.store import Row
from gapnet.localization.localizer import Localizer
from gapnet.progress import track

CHUNK = 512  # images that are handed out at a time, to bound the memory


def box_maps(
    folder: Path, records: Records, sizes: Tensor, localizer: Localizer, *, workers: int
) -> Iterator[Row]:
    """Box the map of each record's true class, over the whole image; there are no guesses."""
    box = partial(_box, folder, localizer)
    jobs = track(zip(records, sizes.tolist(), strict=True), "boxing maps", total=len(records))
    if not workers:
        yield from map(box, jobs)
        return
    # One thread a process; OpenCV's pool of threads would not survive the fork.
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
        while chunk := list(islice(jobs, CHUNK)):
            yield from pool.map(box, chunk, chunksize=8)


def _box(folder: Path, localizer: Localizer, job: tuple[Record, list[int]]) -> Row:
    record, (height, width) = job
    plain = Row(record.id, height, width, [], [], [], [])
    window = torch.tensor([0.0, 0.0, width, height])
    heat = _read_map(folder, record.id)
    return known_row(plain, heat, localizer, window=window, record=record)


def _read_map(folder: Path, identity: str) -> Tensor:
    """Read the map (h, w) of an image: ID.npy, with or without the image's suffix."""
    tried = [folder / f"{identity}.npy", folder / f"{identity.rpartition('.')[0] or identity}.npy"]
    tried.append(folder / f"{stem(identity)}.npy")
    path = next((each for each in tried if each.is_file()), None)
    if path is None:
        raise GapnetError(f"{tried[0]}: no such map; every image of the split needs one")
    try:
        heat = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise GapnetError(f"{path}: cannot be read as an array ({error})") from error
    if heat.ndim != 2 or not heat.size or heat.dtype.kind not in "fiub":  # noqa: PLR2004
        raise GapnetError(
            f"{path}: is an array of {heat.dtype} of shape {heat.shape}; a map has a height and a "
            "width, and numbers"
        )
    if not np.isfinite(heat).all():
        raise GapnetError(f"{path}: holds NaN or infinite values")
    return torch.from_numpy(heat.astype(np.float32))
