"""Ground truth of a split of ILSVRC: the files that contain it, and a check that they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gapnet.data.readers.class_list import ClassList
from gapnet.data.readers.ilsvrc_layouts import (
    ANNOTATIONS,
    TEST,
    TRAIN,
    VAL,
    Listing,
    folder_of,
    is_training,
    xml_folder,
)
from gapnet.data.readers.ilsvrc_truth_files import (
    DevkitLabels,
    Solution,
    SolutionTable,
    Truth,
    XmlFolder,
    compare,
)
from gapnet.data.record_table import UNKNOWN
from gapnet.errors import GapnetError

TABLE = "LOC_{folder}_solution.csv"  # Kaggle's
TruthKind = Literal["auto", "xml", "csv", "devkit"]


@dataclass(frozen=True)
class GroundTruth:
    """Labels and boxes of the splits of a tree.

    Args:
        root: of the tree.
        kind: which files are read; auto reads the first kind that exists, and compares its labels
            with those of the other kinds.
        classes: of the data set.
        devkit_labels: file of the devkit's labels of validation, if there is one.
        indices: class index by ID of the devkit, if there is one.
    """

    root: Path
    kind: TruthKind
    classes: ClassList
    devkit_labels: Path | None
    indices: Mapping[int, int] | None

    def table(self, split: str) -> Path:
        """Return the path of Kaggle's table of a split."""
        return self.root / TABLE.format(folder=folder_of(split))

    def solutions(self, split: str) -> list[Solution]:
        """List the files with ground truth of a split, the first choice first."""
        training, kind = is_training(split), self.kind
        folder, table, labels = xml_folder(self.root, split), self.table(split), self.devkit_labels
        xml = XmlFolder(folder) if folder else None
        csv = SolutionTable(table) if table.exists() else None
        kit = None
        if split == VAL and labels and self.indices:
            kit = DevkitLabels(labels, self.indices, xml)
        if training and kind == "devkit":  # the devkit has no labels of training
            kind = "auto"
        return [
            solution for solution in (xml, csv, kit) if solution and kind in ("auto", solution.kind)
        ]

    def of_training(self, split: str, listing: Listing, *, boxes: str | None) -> Truth:
        """Return the labels that the folders give and, if `boxes` names an option, the boxes.

        An image without annotation has no boxes.
        """
        labels = self._labels(split, listing)
        if boxes is None:
            return Truth(labels, [None] * len(labels))
        for solution in self.solutions(split):
            if not isinstance(solution, DevkitLabels):
                return Truth(labels, solution.training_boxes(listing.ids, self.classes))
        raise GapnetError(
            f"{boxes}: {self.root} has no boxes of training; put XML files into "
            f"{self.root / ANNOTATIONS / TRAIN}, or {self.table(split).name} beside it"
        )

    def of(self, split: str, listing: Listing) -> Truth:
        """Return labels and boxes of any other split; files that disagree are an error."""
        solutions, count = self.solutions(split), len(listing.ids)
        folders = None if listing.class_ids is None else self._labels(split, listing)
        if not solutions and folders is not None and self.kind == "auto":
            return Truth(folders, [None] * count)
        if not solutions and split == TEST:
            return Truth([UNKNOWN] * count, [None] * count)
        if not solutions:
            raise GapnetError(
                f"data.truth={self.kind}: {self.root} has no such ground truth of split "
                f"{split!r}; put XML files into {self.root / ANNOTATIONS / split}, "
                f"{self.table(split).name} into {self.root}, "
                f"or the devkit's labels and meta.mat into {self.root / 'devkit' / 'data'}"
            )
        truth = solutions[0].truth(listing.ids, self.classes)
        labels = {solutions[0].place: truth.labels}
        labels |= {other.place: other.labels(listing.ids, self.classes) for other in solutions[1:]}
        if folders is not None:
            labels[self.root / split] = folders
        compare(listing.ids, self.classes, labels)
        return truth

    def _labels(self, split: str, listing: Listing) -> list[int]:
        """Look up the classes that the folders give."""
        return [self.classes.label(class_id, split) for class_id in listing.class_ids or ()]
