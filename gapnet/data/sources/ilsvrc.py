"""ILSVRC's classification and localization data, in any of the layouts that `layouts` knows."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from gapnet.data.index import cached, fingerprint, lay_out
from gapnet.data.readers.annotations import read_synsets
from gapnet.data.readers.devkit import (
    CLASSES,
    Devkit,
    Synset,
    find_devkit,
    ids_to_indices,
    read_blacklist,
    read_kit_synsets,
)
from gapnet.data.readers.ilsvrc_layouts import (
    ANNOTATIONS,
    IMAGE_SETS,
    IMAGES,
    MAPPING,
    TEST,
    TRAIN,
    VAL,
    KaggleTree,
    Layout,
    Listing,
    drawn_in,
    find_layout,
    folder_of,
    is_training,
)
from gapnet.data.readers.ilsvrc_truth import (
    ClassList,
    DevkitLabels,
    Solution,
    SolutionTable,
    Truth,
    XmlFolder,
    compare,
)
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records
from gapnet.data.sample import OnCorrupt, Reading
from gapnet.errors import GapnetError

__all__ = ["ANNOTATIONS", "IMAGES", "IMAGE_SETS", "MAPPING", "STAND_IN", "Ilsvrc", "TruthKind"]

STAND_IN = "shapes.json"  # the file that only a drawn tree has; it says how it was drawn
TABLE = "LOC_{folder}_solution.csv"  # Kaggle's
TruthKind = Literal["auto", "xml", "csv", "devkit"]
log = logging.getLogger(__name__)


class Ilsvrc:
    """Read a tree whatever its layout; `layout` says which was found.

    Training images have the label that their folder tells, and boxes only where asked for. Other
    splits need ground truth, but for a split called test: its labels may be unknown.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        train_split: str = "train_cls",
        select_split: str = "val",
        test_split: str = "val",
        truth: TruthKind = "auto",
        train_boxes: bool = False,
        blacklist: str | Path | None = None,
        on_corrupt: OnCorrupt = "raise",
        max_corrupt: int = 100,
    ) -> None:
        """Find the tree under `root`.

        Args:
            root: the folder that holds ILSVRC/, or train/ and val/.
            train_split: is trained on; train_cls is all of training in any layout.
            select_split: chooses checkpoints and thresholds.
            test_split: is reported.
            truth: where labels and boxes of other splits are read: XML files, Kaggle's table or the
                devkit's labels (with boxes from XML files, if there are any). auto takes the first
                of them that is there, and holds the others' labels against it.
            train_boxes: whether training images have their boxes too, those that anyone drew.
            blacklist: the file of validation images to leave out of localization; by default the
                devkit's, if there is one.
            on_corrupt: raise or skip; see `Reading`.
            max_corrupt: how many files may be skipped.
        """
        if truth not in get_args(TruthKind):
            raise GapnetError(
                f"data.truth={truth}: must be one of {', '.join(get_args(TruthKind))}"
            )
        if blacklist is not None and not Path(blacklist).is_file():
            raise GapnetError(
                f"data.blacklist={blacklist}: no such file; name a list of numbers of validation "
                "images, or null for the devkit's"
            )
        self.reading = Reading(on_corrupt, max_corrupt)
        self.root = Path(root)
        self.train_split, self.select_split, self.test_split = train_split, select_split, test_split
        self._truth_kind, self._train_boxes = truth, train_boxes
        self._tree = find_layout(self.root)
        self.layout = self._tree.name  # for people
        self._devkit = find_devkit(self.root) or Devkit(None, None, None)
        self._blacklist = Path(blacklist) if blacklist is not None else self._devkit.blacklist
        meta = self._devkit.meta
        kit = read_kit_synsets(meta) if meta else []
        names, place = _name_classes(self._tree, {str(meta): kit} if meta else {})
        self.classes, self.class_names = list(names), list(names.values())
        self._list = ClassList(self.classes, place)
        ids = {each.id: each.wnid for each in kit}
        self._indices = ids_to_indices(ids, self.classes, where=meta) if meta else None
        self._drawn_for_show = (self.root / STAND_IN).exists()
        self.title = self._title()
        self._tell("%s: is %s, with %d classes", self.root, self.layout, len(self.classes))

    def devkit_ids(self) -> dict[int, int] | None:
        """Map ILSVRC2012 IDs, as in the devkit's files, to class indices; None without a devkit."""
        return None if self._indices is None else dict(self._indices)

    def records(self, split: str) -> Records:
        """List the images of a split, in the order of their listing or of their names."""
        solutions = self._solutions(split)
        if solutions:
            self._tell("%s: ground truth is from %s", split, solutions[0].place)
        drawn = drawn_in(self.root, split) if solutions else None
        beside = (self.root / MAPPING, self._table(split), self._blacklist, *self._devkit)
        state = fingerprint(
            files=[*self._tree.files(split), *filter(None, beside)],
            folders=self._tree.folders(split),
            contents=[drawn] if drawn else [],
        )
        options = (split, self.layout, self._truth_kind, self._train_boxes, self._blacklist)
        read = partial(self._read, split)
        return cached((*options, *self.classes), read, self.root, state=state)

    def _title(self) -> str:
        """Name the data for people; what is drawn, or a part, is never called ILSVRC."""
        if self._drawn_for_show:
            return "shapes (stand-in data)"
        return "ILSVRC" if len(self.classes) == CLASSES else f"{self.root.name} (ILSVRC's layout)"

    def _tell(self, text: str, *values: object) -> None:
        """Say what was found, unless there was nothing to find out."""
        if not self._drawn_for_show:
            log.info(text, *values)

    def _table(self, split: str) -> Path:
        return self.root / TABLE.format(folder=folder_of(split))

    def _solutions(self, split: str) -> list[Solution]:
        """List where ground truth of a split can be read, the first choice first."""
        training, kind = is_training(split), self._truth_kind
        if training and not self._train_boxes:
            return []
        folder, table, labels = drawn_in(self.root, split), self._table(split), self._devkit.labels
        xml = XmlFolder(folder) if folder else None
        csv = SolutionTable(table) if table.exists() else None
        kit = None
        if split == VAL and labels and self._indices:
            kit = DevkitLabels(labels, self._indices, xml)
        if training and kind == "devkit":  # which has nothing of training
            kind = "auto"
        return [each for each in (xml, csv, kit) if each and kind in ("auto", each.kind)]

    def _read(self, split: str) -> Records:
        listing = self._tree.listing(split)
        truth = (self._training_truth if is_training(split) else self._truth)(split, listing)
        names, left_out = sorted(listing.ids), set[str]()
        if split == VAL and self._blacklist is not None:
            left_out = {names[row] for row in read_blacklist(self._blacklist, len(names))}
        return lay_out(
            self.root,
            ids=listing.ids,
            paths=listing.paths,
            labels=truth.labels,
            boxes=truth.boxes,
            blacklisted=[each in left_out for each in listing.ids],
        )

    def _training_truth(self, split: str, listing: Listing) -> Truth:
        labels = self._labels(split, listing)
        if not self._train_boxes:
            return Truth(labels, [None] * len(labels))
        for each in self._solutions(split):
            if not isinstance(each, DevkitLabels):
                return Truth(labels, each.training_boxes(listing.ids, self._list))
        raise GapnetError(
            f"data.train_boxes=true: {self.root} has no boxes of training; put XML files into "
            f"{self.root / ANNOTATIONS / TRAIN}, or {self._table(split).name} beside it"
        )

    def _truth(self, split: str, listing: Listing) -> Truth:
        solutions, count = self._solutions(split), len(listing.ids)
        told = None if listing.class_ids is None else self._labels(split, listing)
        if not solutions and told is not None and self._truth_kind == "auto":
            return Truth(told, [None] * count)
        if not solutions and split == TEST:
            return Truth([UNKNOWN] * count, [None] * count)
        if not solutions:
            raise GapnetError(
                f"data.truth={self._truth_kind}: {self.root} has no such ground truth of split "
                f"{split!r}; put XML files into {self.root / ANNOTATIONS / split}, "
                f"{self._table(split).name} into {self.root}, "
                f"or the devkit's labels and meta.mat into {self.root / 'devkit' / 'data'}"
            )
        truth = solutions[0].truth(listing.ids, self._list)
        labels = {solutions[0].place: truth.labels}
        labels |= {each.place: each.labels(listing.ids, self._list) for each in solutions[1:]}
        if told is not None:
            labels[self.root / split] = told
        compare(listing.ids, self._list, labels)
        return truth

    def _labels(self, split: str, listing: Listing) -> list[int]:
        """Look up the classes that the folders tell."""
        return [self._list.label(each, split) for each in listing.class_ids or ()]


def _name_classes(tree: Layout, kit: Mapping[str, Sequence[Synset]]) -> tuple[dict[str, str], str]:
    """Name the classes in the order of their index, and say what lists them.

    Every place that lists the classes must list the same.
    """
    mapping = tree.root / MAPPING
    names = read_synsets(mapping) if mapping.exists() else {}
    known = {str(mapping): list(names), f"{tree.root}'s folders": tree.class_ids()}
    for place, synsets in kit.items():
        known[place] = [each.wnid for each in synsets]
        names = {each.wnid: each.name for each in synsets} | names
    known = {place: found for place, found in known.items() if found}
    _check_same(known, tree.root)
    place, found = next(iter(known.items()))
    order = found if isinstance(tree, KaggleTree) else sorted(found)
    if len(order) == CLASSES and order != sorted(order):
        raise GapnetError(
            f"{place}: its {CLASSES} classes must be in the order of their WNIDs, as for every "
            "checkpoint; take the file from Kaggle again"
        )
    return {each: names.get(each, each) for each in order}, place


def _check_same(known: Mapping[str, Sequence[str]], root: Path) -> None:
    if not known:
        raise GapnetError(
            f"data.root={root}: nothing there lists the classes; put {MAPPING}, the devkit "
            "or the class folders of training there"
        )
    (first, ours), *others = known.items()
    for place, theirs in others:
        apart = sorted(set(ours) ^ set(theirs))
        if apart:
            raise GapnetError(
                f"{place}: has {len(theirs)} classes, {first} {len(ours)}; {apart[0]!r} is in "
                f"one only, {len(apart)} in all; complete one, or remove it"
            )
