"""Maps of other tools: one file ID.npy per image, boxed like the maps of a network."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gapnet.data.file_names import file_name
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import stem
from gapnet.evaluation.rows import Laid, known_row, unreadable
from gapnet.evaluation.store import Row
from gapnet.localization.localizer import Localizer
from gapnet.system.progress import track
from gapnet.system.workers import worker_pool

CHUNK = 512  # images that are handed out at a time, to bound the memory


class Maps(NamedTuple):
    """Files of maps, with the records and sizes (N, 2) of their images."""

    paths: Sequence[Path]
    records: Records
    sizes: Tensor

    def take(self, rows: Sequence[int]) -> "Maps":
        """Return the maps of some rows."""
        return Maps([self.paths[row] for row in rows], self.records.take(rows), self.sizes[rows])


def find_maps(folder: Path, ids: Sequence[str], *, split: str = "") -> list[Path]:
    """Return the paths of maps: ID.npy, with or without the image's suffix, or its folders.

    The maps lie in the folder or in one in it that is named like the split. Ids that begin with
    that name, as wsolevaluation's ids of OpenImages do, match with it and without it.
    """
    paths = [_find_map(folder, identity, split) for identity in ids]
    id_of = {path: image_id for path, image_id in zip(paths, ids, strict=True) if path}
    with_map = set(id_of.values())  # a file that two images would share is the map of one
    missing = [image_id for image_id in ids if image_id not in with_map]
    if missing:
        raise GapnetError(
            f"{folder}: lacks the maps of {len(missing)} of {len(ids)} images, the first of them "
            f"{missing[0]}.npy; every image of the split needs one"
        )
    return list(id_of)


def box_maps(maps: Maps, localizer: Localizer, *, workers: int) -> Iterator[Row]:
    """Box the maps of the true classes, over the whole image; there are no guesses."""
    box = partial(_box, localizer)
    images = zip(maps.paths, maps.records, maps.sizes.tolist(), strict=True)
    jobs = track(images, "boxing maps", total=len(maps.records))
    if not workers:
        yield from map(box, jobs)
        return
    with worker_pool(workers) as pool:
        while chunk := list(islice(jobs, CHUNK)):
            yield from pool.map(box, chunk, chunksize=8)


def _box(localizer: Localizer, job: tuple[Path, Record, list[int]]) -> Row:
    path, record, (height, width) = job
    if not height:
        return unreadable(record, localizer.boxer)
    plain = Row(record.id, height, width, [], [], [], [])
    window = torch.tensor([0.0, 0.0, width, height])
    return known_row(plain, Laid(read_map(path), window), localizer, record)


def _find_map(folder: Path, identity: str, split: str) -> Path | None:
    """Return the map of an image, if there is one; maps in two places are an error."""
    folders = [folder, folder / split] if split else [folder]
    short = identity.removeprefix(f"{split}/")
    paths = [_map_in(place, name) for place in folders for name in (identity, short)]
    existing = list(dict.fromkeys(path for path in paths if path))
    if len(existing) > 1:
        raise GapnetError(
            f"image {identity}: has two maps, {existing[0]} and {existing[1]}; remove one"
        )
    return existing[0] if existing else None


def _map_in(folder: Path, identity: str) -> Path | None:
    inside = f"{identity.rpartition('/')[0]}/{stem(identity)}".lstrip("/")
    names = [identity, inside, stem(identity)]
    paths = (folder / f"{file_name(name)}.npy" for name in names)
    return next((path for path in paths if path.is_file()), None)


def read_map(path: Path) -> Tensor:
    """Read a map (h, w) that NumPy wrote."""
    with reading(path, "cannot be read as an array"), path.open("rb") as file:
        heat = np.lib.format.read_array(file, allow_pickle=False)
    if heat.ndim != 2 or not heat.size or heat.dtype.kind not in "fiub":  # noqa: PLR2004
        raise GapnetError(
            f"{path}: is an array of {heat.dtype} of shape {heat.shape}; a map has a height and a "
            "width, and numbers"
        )
    with np.errstate(over="ignore"):
        single = heat.astype(np.float32)
    if not np.isfinite(single).all():
        raise GapnetError(f"{path}: contains NaN, infinite values or numbers above 3.4e38")
    return torch.from_numpy(single)
