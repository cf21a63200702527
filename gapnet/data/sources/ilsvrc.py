"""ILSVRC's classification and localization data, in any of the layouts of `ilsvrc_layouts`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import get_args

from gapnet.data.held_out import hold_out_with_boxes
from gapnet.data.index import cached, fingerprint, parallel_map, records_from_columns
from gapnet.data.options import Reader
from gapnet.data.readers.annotations import read_voc_size
from gapnet.data.readers.class_list import ClassList
from gapnet.data.readers.devkit import (
    CLASSES,
    Devkit,
    Synset,
    find_devkit,
    ids_to_indices,
    read_blacklist,
    read_kit_synsets,
)
from gapnet.data.readers.devkit import (
    IMAGES as COUNTS,
)
from gapnet.data.readers.ilsvrc_classes import name_classes
from gapnet.data.readers.ilsvrc_ground_truth import GroundTruth, TruthKind
from gapnet.data.readers.ilsvrc_layouts import (
    ANNOTATIONS,
    IMAGE_SETS,
    IMAGES,
    MAPPING,
    VAL,
    Layout,
    find_layout,
    is_training,
    xml_folder,
)
from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.system.value_checks import one_of, whole_number

__all__ = ["ANNOTATIONS", "IMAGES", "IMAGE_SETS", "MAPPING", "STAND_IN", "Ilsvrc", "TruthKind"]

STAND_IN = "shapes.json"  # file that only a drawn tree has, with the options of the drawing
HELD_OUT = "held_out"  # the split of held-out training images
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ilsvrc(Reader):
    """ILSVRC, or another data set in one of its layouts; `layout` names the layout.

    Labels of training images come from their folders. Other splits need ground truth, except one
    called test, whose labels may be unknown.

    Args:
        root: the folder that has ILSVRC/, or train/ and val/.
        train_split: train_cls is the whole training set in any layout.
        truth: where labels and boxes of other splits are read: XML files, Kaggle's table, or the
            devkit's labels (with boxes from XML files, if there are any). auto reads the first
            of them that exists, and compares its labels with those of the others.
        train_boxes: read the boxes of training images; only some images have boxes.
        blacklist: file of validation images to leave out of localization; by default the devkit's,
            if there is one.
        held_out: number of training images with boxes per class that form the split `held_out`,
            which is not trained on and replaces `select_split`. 0: none.
    """

    _: KW_ONLY
    train_split: str = "train_cls"
    test_split: str = VAL
    truth: TruthKind = "auto"
    train_boxes: bool = False
    blacklist: Path | None = None
    held_out: int = 0

    def __post_init__(self) -> None:
        """Check the values, and find the tree and its classes."""
        super().__post_init__()
        one_of("data.truth", self.truth, get_args(TruthKind))
        whole_number("data.held_out", self.held_out)
        if self.blacklist is not None and not Path(self.blacklist).is_file():
            raise GapnetError(
                f"data.blacklist={self.blacklist}: no such file; name a list of numbers of "
                "validation images, or null for the devkit's"
            )
        if self.held_out:
            self._select_on_held_out()
        _ = self._tree, self._indices  # reads the files, so that errors show now
        self._log("%s: is %s, with %d classes", self.root, self.layout, len(self.classes))

    def _select_on_held_out(self) -> None:
        if self.select_split not in (HELD_OUT, VAL):
            raise GapnetError(
                f"data.held_out={self.held_out}, data.select_split={self.select_split}: name two "
                "splits to select thresholds on; set only one of them"
            )
        self.set_fields(select_split=HELD_OUT)

    @property
    def layout(self) -> str:
        """Return the name of the layout, for people."""
        return self._tree.name

    @property
    def kind(self) -> str:
        """Return "ilsvrc" only for a tree of its 1,000 classes that was not drawn."""
        if (self.root / STAND_IN).exists():
            return "stand-in"
        return "ilsvrc" if len(self.classes) == CLASSES else "ilsvrc-layout"

    @cached_property
    def title(self) -> str:
        """Return the name of the data set, for people."""
        titles = {"stand-in": "shapes (stand-in data)", "ilsvrc": "ILSVRC"}
        return titles.get(self.kind, f"{self.root.name} (ILSVRC's layout)")

    @property
    def published_counts(self) -> Mapping[str, int]:
        """Return the number of images per split of ILSVRC; empty for other data sets."""
        if self.kind != "ilsvrc":
            return {}
        counts = dict(COUNTS)
        if self.held_out:
            counts[HELD_OUT] = CLASSES * self.held_out
            if self.train_split in counts:
                counts[self.train_split] -= counts[HELD_OUT]
        return counts

    @cached_property
    def classes(self) -> list[str]:
        """List the WordNet ids of the classes."""
        return list(self._names[0])

    @cached_property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return list(self._names[0].values())

    def devkit_ids(self) -> dict[int, int] | None:
        """Map ILSVRC2012 IDs, as in the devkit's files, to class indices; None without a devkit."""
        return None if self._indices is None else dict(self._indices)

    def records(self, split: str) -> Records:
        """List the images of a split, in the order of their listing or of their names."""
        if not self.held_out or split not in (self.train_split, HELD_OUT):
            return self._listed(split, boxes="data.train_boxes=true" if self.train_boxes else None)
        with_boxes = self._listed(self.train_split, boxes=f"data.held_out={self.held_out}")
        ids = hold_out_with_boxes(with_boxes, self.held_out, classes=self.classes)
        if split == HELD_OUT:
            return with_boxes.take([row for row, id_ in enumerate(with_boxes.ids) if id_ in ids])
        records = with_boxes if self.train_boxes else self._listed(split, boxes=None)
        return records.take([row for row, id_ in enumerate(records.ids) if id_ not in ids])

    def sizes(self, split: str, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (height, width) of the images that have an XML file, by id."""
        folder = xml_folder(self.root, self.train_split if split == HELD_OUT else split)
        files = {} if folder is None else {id_: folder / f"{id_}.xml" for id_ in ids}
        existing = {id_: path for id_, path in files.items() if path.is_file()}
        sizes = parallel_map(read_voc_size, list(existing.values()), "reading sizes")
        return {id_: size for id_, size in zip(existing, sizes, strict=True) if min(size) > 0}

    def _listed(self, split: str, *, boxes: str | None) -> Records:
        """List all images of a split; `boxes` is the option that asks for boxes of training."""
        needs_truth = boxes is not None or not is_training(split)
        solutions = self._ground_truth.solutions(split) if needs_truth else []
        if solutions:
            self._log("%s: ground truth is from %s", split, solutions[0].place)
        annotations = xml_folder(self.root, split) if solutions else None
        beside = (self.root / MAPPING, self._ground_truth.table(split), self._blacklist)
        state = fingerprint(
            files=[*self._tree.files(split), *filter(None, (*beside, *self._devkit))],
            folders=self._tree.folders(split),
            contents=[annotations] if annotations else [],
        )
        reads_boxes = self.train_boxes or boxes is not None
        options = (split, self.layout, self.truth, reads_boxes, self._blacklist)
        read = partial(self._read, split, boxes=boxes)
        return cached((*options, *self.classes), read, self.root, state=state)

    def _read(self, split: str, *, boxes: str | None) -> Records:
        listing = self._tree.listing(split)
        truth = (
            self._ground_truth.of_training(split, listing, boxes=boxes)
            if is_training(split)
            else self._ground_truth.of(split, listing)
        )
        names, left_out = sorted(listing.ids), set[str]()
        if split == VAL and self._blacklist is not None:
            left_out = {names[row] for row in read_blacklist(self._blacklist, len(names))}
        return records_from_columns(
            self.root,
            ids=listing.ids,
            paths=listing.paths,
            labels=truth.labels,
            boxes=truth.boxes,
            blacklisted=[id_ in left_out for id_ in listing.ids],
        )

    def _log(self, text: str, *values: object) -> None:
        """Log a message, except for the stand-in data set, where it says nothing new."""
        if self.kind != "stand-in":
            log.info(text, *values)

    @cached_property
    def _tree(self) -> Layout:
        return find_layout(self.root)

    @cached_property
    def _devkit(self) -> Devkit:
        return find_devkit(self.root) or Devkit(None, None, None)

    @cached_property
    def _blacklist(self) -> Path | None:
        return self._devkit.blacklist if self.blacklist is None else Path(self.blacklist)

    @cached_property
    def _synsets(self) -> list[Synset]:
        return read_kit_synsets(self._devkit.meta) if self._devkit.meta else []

    @cached_property
    def _names(self) -> tuple[dict[str, str], str]:
        """Names of the classes by id, and the file or folder that lists them."""
        meta = self._devkit.meta
        return name_classes(self._tree, {str(meta): self._synsets} if meta else {})

    @cached_property
    def _indices(self) -> dict[int, int] | None:
        """Class index by ID of the devkit."""
        if self._devkit.meta is None:
            return None
        wnids = {synset.id: synset.wnid for synset in self._synsets}
        return ids_to_indices(wnids, self.classes, where=self._devkit.meta)

    @cached_property
    def _ground_truth(self) -> GroundTruth:
        classes = ClassList(self.classes, self._names[1])
        return GroundTruth(self.root, self.truth, classes, self._devkit.labels, self._indices)
