"""ILSVRC's development kit: its numbering of the classes, and labels and blacklist of validation.

The devkit numbers the classes from 1 in its own order, the ILSVRC2012 IDs. All other code counts
sorted WNIDs from 0. No class has the same place in both, so a forgotten conversion is noticed.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from gapnet.data.readers.annotations import is_whole, read_lines
from gapnet.errors import GapnetError, reading
from gapnet.system.workers import worker_pool

PLACES = (
    "devkit/data",
    "ILSVRC201[2-7]*devkit*/data",
    "ILSVRC*/devkit/data",
    "devkit",
    "data",
)
META = ("meta_clsloc.mat", "meta.mat", "map_clsloc.txt")
LABELS = (
    "ILSVRC2012_validation_ground_truth.txt",
    "ILSVRC201[3-7]_clsloc_validation_ground_truth.txt",
)
BLACKLIST = ("ILSVRC201[3-7]_clsloc_validation_blacklist.txt",)

AGAIN = "take the file from the devkit again"
CLASSES, VALIDATION, BLACKLISTED = 1000, 50_000, 1762  # of ILSVRC 2012 and since
IMAGES = {"train": 1_281_167, "train_cls": 1_281_167, "val": VALIDATION, "test": 100_000}
BOXES, SEVERAL = 80_477, 11_715  # of validation: boxes, and images with more than one
FIRST_IDS = [490, 361, 171, 822, 297]  # of the first images of validation
FIRST_LABELS = [65, 970, 230, 809, 516]  # their class indices

# The field's name carries the kit's year; kits of 2010 and 2011 number other classes.
ID_FIELD = re.compile(r"ILSVRC201[2-7](_CLSLOC)?_ID")
NAME_FIELDS = ("words", "name")


class Devkit(NamedTuple):
    """Paths of the files of a devkit; None for a missing one."""

    meta: Path | None
    labels: Path | None
    blacklist: Path | None


class Synset(NamedTuple):
    """A class in the devkit's list, with its name in words."""

    id: int
    wnid: str
    name: str


def find_devkit(root: Path) -> Devkit | None:
    """Return the files of one or several devkits in or under the root of a data set."""
    folders = [folder for place in PLACES for folder in sorted(root.glob(place)) if folder.is_dir()]
    kit = Devkit(*(_first([*folders, root], names) for names in (META, LABELS, BLACKLIST)))
    return kit if any(kit) else None


def _first(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    paths = (path for folder in folders for name in names for path in sorted(folder.glob(name)))
    return next(paths, None)


def read_synset_ids(path: Path) -> dict[int, str]:
    """Read ILSVRC2012 ID -> WNID of the classes, from meta.mat or map_clsloc.txt."""
    return {synset.id: synset.wnid for synset in read_kit_synsets(path)}


def read_kit_synsets(path: Path) -> list[Synset]:
    """Read the classes in the order of their IDs, which must be 1 to N."""
    with reading(path, "has no readable list of classes", AGAIN):
        synsets = sorted(_from_matlab(path) if path.suffix == ".mat" else _from_text(path))
    if [synset.id for synset in synsets] != list(range(1, len(synsets) + 1)):
        ids = [synset.id for synset in synsets]
        wrong = next(
            id_ for id_, right in zip(ids, range(1, len(ids) + 1), strict=True) if id_ != right
        )
        raise GapnetError(
            f"{path}: the IDs of its {len(ids)} classes must be 1 to {len(ids)}, without "
            f"repetition; {wrong} is repeated or out of place; take the file from the devkit again"
        )
    if len({synset.wnid for synset in synsets}) != len(synsets):
        raise GapnetError(f"{path}: has two IDs for one class; take the file from the devkit again")
    return synsets


def _from_text(path: Path) -> list[Synset]:
    """Read lines such as `n02119789 1 kit_fox`."""
    synsets = []
    for number, line in enumerate(read_lines(path), 1):
        match line.split(maxsplit=2):
            case [wnid, id_, *name] if is_whole(id_):
                words = "".join(name).replace("_", " ") or wnid
                synsets.append(Synset(int(id_), wnid, words))
            case _:
                raise GapnetError(
                    f"{path}, line {number}: must be `WNID ID name`, not {line!r}; "
                    "take the file from the devkit again"
                )
    return synsets


def _from_matlab(path: Path) -> list[Synset]:
    """Read the leaves among the synsets: the classes; kits up to 2014 list their ancestors too."""
    table = _load_synsets(path)
    fields = table.dtype.names or ()
    id_field = next(filter(ID_FIELD.fullmatch, fields), None)
    if id_field is None or "WNID" not in fields:
        raise GapnetError(
            f"{path}: must have fields ILSVRC2012_ID and WNID, "
            f"it has {', '.join(fields) or 'none'}; take it from the devkit of ILSVRC 2012 or later"
        )
    if "num_children" in fields:
        table = table[table["num_children"].astype(int) == 0]
    name_field = next((field for field in NAME_FIELDS if field in fields), "WNID")
    rows = zip(table[id_field], table["WNID"], table[name_field], strict=True)
    synsets = [Synset(int(id_), str(wnid), str(name)) for id_, wnid, name in rows]
    return [synset for synset in synsets if synset.id <= CLASSES]


def _load_synsets(path: Path) -> NDArray[np.void]:
    """Load the synsets in another process, because invalid bytes may crash SciPy."""
    with (
        reading(path, "has no readable array `synsets`", AGAIN),
        worker_pool(1) as pool,
    ):
        return pool.submit(_load, path).result()


def _load(path: Path) -> NDArray[np.void]:
    with path.open("rb") as file:
        table = loadmat(file, variable_names=["synsets"], squeeze_me=True)["synsets"]
    return np.atleast_1d(table)


def ids_to_indices(
    synset_ids: Mapping[int, str], classes: Sequence[str], *, where: Path
) -> dict[int, int]:
    """Convert ILSVRC2012 IDs to indices into `classes`; `where` is the file of the IDs."""
    apart = sorted(set(synset_ids.values()) ^ set(classes))
    if apart:
        raise GapnetError(
            f"{where}: its {len(synset_ids)} classes are not the {len(classes)} of the data set; "
            f"{apart[0]!r} is in one only ({len(apart)} differ); put the devkit of this data there"
        )
    index = {wnid: label for label, wnid in enumerate(classes)}
    converted = {id_: index[wnid] for id_, wnid in synset_ids.items()}
    fixed = [id_ for id_, label in converted.items() if id_ - 1 == label]
    if len(converted) == CLASSES and fixed:
        raise GapnetError(
            f"{where}: ID {fixed[0]} has class index {fixed[0] - 1}, but ILSVRC's own order and "
            "that of sorted WNIDs share no place; take the file from the devkit again"
        )
    return converted


def read_labels(path: Path, indices: Mapping[int, int], count: int) -> list[int]:
    """Read the class indices of the `count` validation images, in the order of their names."""
    ids = _integers(path)
    if len(ids) != count:
        raise GapnetError(
            f"{path}: has {len(ids)} labels for {count} validation images; "
            "complete the images, or take the file from the devkit again"
        )
    for line, id_ in enumerate(ids, 1):
        if id_ not in indices:
            raise GapnetError(
                f"{path}, line {line}: must be an ILSVRC2012 ID from 1 to {len(indices)}, "
                f"not {id_}; take the file from the devkit again"
            )
    labels = [indices[id_] for id_ in ids]
    first = slice(len(FIRST_IDS))
    known = (ids[first], labels[first]) == (FIRST_IDS, FIRST_LABELS)
    if (len(ids), len(indices)) == (VALIDATION, CLASSES) and not known:
        raise GapnetError(
            f"{path}: the first images of validation have IDs {FIRST_IDS} and class indices "
            f"{FIRST_LABELS}, not {ids[first]} and {labels[first]}; "
            "take the devkit's files again"
        )
    return labels


def read_blacklist(path: Path, count: int) -> list[int]:
    """Read the positions, from 0, of the left out ones among `count` sorted validation images."""
    numbers = _integers(path)
    wrong = next((number for number in numbers if not 1 <= number <= count), None)
    if wrong is not None:
        raise GapnetError(
            f"{path}: must list numbers of validation images, from 1 to {count}, not {wrong}; "
            "name another file with data.blacklist=..."
        )
    if len(set(numbers)) != len(numbers):
        raise GapnetError(
            f"{path}: lists {len(numbers) - len(set(numbers))} images twice; "
            "take the file from the devkit again"
        )
    if count == VALIDATION and len(numbers) != BLACKLISTED:
        raise GapnetError(
            f"{path}: must have {BLACKLISTED} images, not "
            f"{len(numbers)}; take the file from the devkit again"
        )
    return [number - 1 for number in numbers]


def _integers(path: Path) -> list[int]:
    lines = read_lines(path)
    for number, line in enumerate(lines, 1):
        if not is_whole(line):
            raise GapnetError(
                f"{path}, line {number}: must be an integer, not {line!r}; "
                "take the file from the devkit again"
            )
    return [int(line) for line in lines]
