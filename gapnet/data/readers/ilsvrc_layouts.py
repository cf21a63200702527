"""Layouts of ILSVRC on disk: where images, listings and annotations are.

Kaggle's tree             ROOT/LOC_synset_mapping.txt                 a line per class: WNID, name
                          ROOT/ILSVRC/ImageSets/CLS-LOC/SPLIT.txt     a line per image: name, number
                          ROOT/ILSVRC/Data/CLS-LOC/FOLDER/NAME.JPEG
torchvision's folders     ROOT/train/WNID/*.JPEG, ROOT/val/WNID/*.JPEG
flat validation folder    ROOT/train/WNID/*.JPEG, ROOT/val/*.JPEG, and the devkit for the labels

An image has the same id in all of them: WNID/NAME in training, NAME elsewhere.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

from gapnet.data.index import THREADS, folders_in
from gapnet.data.readers.annotations import read_lines
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.progress import track

MAPPING = Path("LOC_synset_mapping.txt")
IMAGE_SETS = Path("ILSVRC/ImageSets/CLS-LOC")
IMAGES = Path("ILSVRC/Data/CLS-LOC")
ANNOTATIONS = Path("ILSVRC/Annotations/CLS-LOC")
TRAIN, VAL, TEST = "train", "val", "test"  # the folders

WHOLE_TRAINING = ("train", "train_cls")  # splits; Kaggle's train_loc is a part

SUFFIXES = (".jpeg", ".jpg", ".png")
# FOLDER is train, val or test; the second is for image archives that were unpacked where they lie.
IMAGE_FOLDERS = ("{folder}", "ILSVRC2012_img_{folder}")
XML_FOLDERS = (
    str(ANNOTATIONS / "{folder}"),
    "Annotations/CLS-LOC/{folder}",
    "ILSVRC2012_bbox_{folder}_v3/{folder}",
    "ILSVRC2012_bbox_{folder}_v3",
    "ILSVRC2012_bbox_{folder}_v2",
    "bbox/{folder}",
)


class Listing(NamedTuple):
    """The images of a split.

    paths: relative to the root. class_ids: names of the class folders; None without class folders.
    """

    ids: list[str]
    paths: list[str]
    class_ids: list[str] | None


class Layout(Protocol):
    """A layout of the tree."""

    name: str
    root: Path

    def class_ids(self) -> list[str]:
        """List the class folders by name."""
        ...

    def listing(self, split: str) -> Listing:
        """List the images of a split."""
        ...

    def files(self, split: str) -> list[Path]:
        """Return the files that the listing is read from."""
        ...

    def folders(self, split: str) -> list[Path]:
        """Return the folders that the listing is read from."""
        ...


def is_training(split: str) -> bool:
    """Return whether images of a split are in class folders and need no annotation."""
    return split.startswith(TRAIN)


def folder_of(split: str) -> str:
    """Return the folder of a split: train_cls and train_loc share the one of train."""
    return TRAIN if is_training(split) else split


def xml_folder(root: Path, split: str) -> Path | None:
    """Return the folder of the XML files of a split, if there is one."""
    places = (root / place.format(folder=folder_of(split)) for place in XML_FOLDERS)
    return next((place for place in places if place.is_dir()), None)


class KaggleTree:
    """The tree of Kaggle's competition, whose splits are listed in text files."""

    name = "Kaggle's tree"

    def __init__(self, root: Path) -> None:
        """Store the root."""
        self.root = root

    def class_ids(self) -> list[str]:
        """Return an empty list, because the mapping lists the classes."""
        return []

    def listing(self, split: str) -> Listing:
        """Read the split's file of image names."""
        (path,) = self.files(split)
        if not path.exists():
            known = ", ".join(sorted(file.stem for file in path.parent.glob("*.txt")))
            raise MissingSplitError(
                f"split {split!r} is not listed in {path.parent}; the splits are: {known or 'none'}"
            )
        ids = [line.split()[0] for line in read_lines(path)]
        folder = IMAGES / folder_of(split)
        class_ids = [id_.partition("/")[0] for id_ in ids] if is_training(split) else None
        return Listing(ids, [f"{folder}/{id_}.JPEG" for id_ in ids], class_ids)

    def files(self, split: str) -> list[Path]:
        """Return the split's file of image names."""
        return [self.root / IMAGE_SETS / f"{split}.txt"]

    def folders(self, split: str) -> list[Path]:  # noqa: ARG002 (of the protocol)
        """Return an empty list, because the images are those of the text file."""
        return []


class ImageFolders:
    """Folders of images: one folder per class, or a flat one."""

    def __init__(self, root: Path) -> None:
        """Store the root."""
        self.root = root
        val = self._place(VAL)
        flat = val is not None and not class_folders(val)
        self.name = "a flat validation folder" if flat else "torchvision's folders"

    def class_ids(self) -> list[str]:
        """List the class folders of training or, without them, of validation."""
        places = [place for folder in (TRAIN, VAL) if (place := self._place(folder))]
        folders = (class_folders(place) for place in places)
        return [folder.name for folder in next(filter(None, folders), [])]

    def holds_images(self) -> bool:
        """Return whether there is a class folder of training or an image of validation."""
        val = self._place(VAL)
        return bool(self.class_ids() or (val and _images_in(val)))

    def listing(self, split: str) -> Listing:
        """List the folder of a split; evaluated images come in the order of their names."""
        place = self._place(split)
        if place is None:
            known = [folder for folder in (TRAIN, VAL, TEST) if self._place(folder)]
            raise MissingSplitError(
                f"split {split!r} has no folder in {self.root}; the splits are: {', '.join(known)}"
            )
        classes = class_folders(place)
        if is_training(split) and not classes:
            raise GapnetError(f"{place}: has no class folders; it must have one per class")
        images = _list(classes or [place], split)
        if not images:
            raise GapnetError(f"{place}: has no image ({', '.join(SUFFIXES)}); unpack them there")
        if not is_training(split):
            images.sort(key=lambda image: image[1])
            _check_names(images, place)
        ids = [f"{folder}/{stem}" if is_training(split) else stem for folder, stem, _ in images]
        inside = place.relative_to(self.root)
        paths = [
            f"{inside}/{folder}/{name}" if classes else f"{inside}/{name}"
            for folder, _, name in images
        ]
        return Listing(ids, paths, [folder for folder, *_ in images] if classes else None)

    def files(self, split: str) -> list[Path]:  # noqa: ARG002 (of the protocol)
        """Return an empty list, because the images are those in the folders."""
        return []

    def folders(self, split: str) -> list[Path]:
        """Return the folder of a split."""
        place = self._place(split)
        return [] if place is None else [place]

    def _place(self, split: str) -> Path | None:
        if is_training(split) and split not in WHOLE_TRAINING:
            return None
        places = (self.root / name.format(folder=folder_of(split)) for name in IMAGE_FOLDERS)
        return next((place for place in places if place.is_dir()), None)


def class_folders(place: Path) -> list[Path]:
    """List the folders of classes; none where images lie flat, and an error where both are."""
    folders = folders_in(place)
    if folders and (images := _images_in(place)):
        raise GapnetError(
            f"{place}: must have images or class folders, not both {images[0]} and "
            f"{folders[0].name}/; finish moving the images, or undo it"
        )
    return folders


def _list(folders: list[Path], split: str) -> list[tuple[str, str, str]]:
    """List the images of folders as (folder, stem, name)."""
    with ThreadPoolExecutor(THREADS) as pool:
        listed = track(pool.map(_images_in, folders), f"listing {split}", total=len(folders))
        return [
            (folder.name, name.rpartition(".")[0], name)
            for folder, names in zip(folders, listed, strict=True)
            for name in names
        ]


def _images_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.lower().endswith(SUFFIXES)]
    return sorted(name for name in names if name[0] != ".")


def _check_names(images: list[tuple[str, str, str]], place: Path) -> None:
    """Check that names are unique across folders, because they are the ids."""
    for (folder, stem, name), (other, same, another) in pairwise(images):
        if stem == same:
            raise GapnetError(
                f"{place}: its images must have different names, not {folder}/{name} and "
                f"{other}/{another}; rename or remove one"
            )


def find_layout(root: Path) -> Layout:
    """Return the layout of the tree under `root`; an error lists what every layout lacks."""
    if not root.is_dir():
        raise GapnetError(
            f"data.root={root}: no such folder; "
            "put the data set there or name its place with data.root=..."
        )
    parts = [root / MAPPING, root / IMAGE_SETS, root / IMAGES]
    missing = [str(path) for path in parts if not path.exists()]
    if not missing:
        return KaggleTree(root)
    folders = ImageFolders(root)
    if folders.holds_images():
        return folders
    raise GapnetError(
        f"data.root={root}: is not in a layout that gapnet reads; "
        f"Kaggle's ILSVRC tree lacks {' and '.join(missing)}, "
        f"torchvision's folders lack {root / TRAIN}/WNID/ and {root / VAL}/WNID/, "
        f"and a flat validation folder lacks {root / VAL}/*.JPEG; "
        "name the folder that has one of them with data.root=..."
    )
