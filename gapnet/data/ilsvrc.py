"""ILSVRC's classification and localization data as Kaggle packs it.

ROOT/LOC_synset_mapping.txt                 a line per class, in the order of the class index
ROOT/ILSVRC/ImageSets/CLS-LOC/SPLIT.txt     a line per image: its name, and a number (not used)
ROOT/ILSVRC/Data/CLS-LOC/FOLDER/NAME.JPEG   NAME is <class>/<file> for the training images
ROOT/ILSVRC/Annotations/CLS-LOC/FOLDER/NAME.xml
"""

from pathlib import Path

from gapnet.data.annotations import read_lines, read_synsets, read_voc
from gapnet.data.records import Record, Records
from gapnet.data.sample import OnCorrupt, Reading
from gapnet.errors import GapnetError

MAPPING = Path("LOC_synset_mapping.txt")
IMAGE_SETS = Path("ILSVRC/ImageSets/CLS-LOC")
IMAGES = Path("ILSVRC/Data/CLS-LOC")
CLASSES = 1000
STAND_IN = "shapes.json"  # the file that only a drawn tree has; it says how it was drawn
ANNOTATIONS = Path("ILSVRC/Annotations/CLS-LOC")


class Ilsvrc:
    """Read a tree in Kaggle's layout.

    Training images have their label in their folder's name and are read without boxes; every other
    split takes label and boxes from its XML.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        train_split: str = "train_cls",
        select_split: str = "val",
        test_split: str = "val",
        on_corrupt: OnCorrupt = "raise",
        max_corrupt: int = 100,
    ) -> None:
        """Find the tree under `root`.

        Args:
            root: the folder that holds ILSVRC/ and LOC_synset_mapping.txt.
            train_split: is trained on.
            select_split: chooses checkpoints and thresholds.
            test_split: is reported.
            on_corrupt: raise or skip; see `Reading`.
            max_corrupt: how many files may be skipped.
        """
        self.reading = Reading(on_corrupt, max_corrupt)
        self.root = Path(root)
        _check_layout(self.root)
        synsets = read_synsets(self.root / MAPPING)
        self.classes, self.class_names = list(synsets), list(synsets.values())
        self.title = self._title()
        self.train_split, self.select_split, self.test_split = train_split, select_split, test_split

    def records(self, split: str) -> Records:
        """List the images of a split in the order of its ImageSets file."""
        listing = self.root / IMAGE_SETS / f"{split}.txt"
        if not listing.exists():
            known = ", ".join(sorted(path.stem for path in listing.parent.glob("*.txt")))
            raise GapnetError(
                f"split {split!r} is not listed in {listing.parent}; found are: {known or 'none'}"
            )
        names = [line.split()[0] for line in read_lines(listing)]
        index = {class_id: label for label, class_id in enumerate(self.classes)}
        read = self._training_record if split.startswith("train") else self._annotated_record
        return Records.of((read(name, split, index) for name in names), self.root)

    def _title(self) -> str:
        """Name the data for people; what is drawn, or a part, is never called ILSVRC."""
        if (self.root / STAND_IN).exists():
            return "shapes (stand-in data)"
        return "ILSVRC" if len(self.classes) == CLASSES else f"{self.root.name} (ILSVRC's layout)"

    def _training_record(self, name: str, split: str, index: dict[str, int]) -> Record:
        folder = name.partition("/")[0]
        return Record(
            name,
            self.root / IMAGES / "train" / f"{name}.JPEG",
            self._label(folder, index, split),
            None,
        )

    def _annotated_record(self, name: str, split: str, index: dict[str, int]) -> Record:
        xml = self.root / ANNOTATIONS / split / f"{name}.xml"
        annotation = read_voc(xml)
        label = self._label(annotation.class_id, index, xml)
        return Record(name, self.root / IMAGES / split / f"{name}.JPEG", label, annotation.boxes)

    def _label(self, class_id: str, index: dict[str, int], where: str | Path) -> int:
        if class_id not in index:
            raise GapnetError(
                f"{where}: class {class_id!r} is not among the {len(index)} "
                f"of {self.root / MAPPING}"
            )
        return index[class_id]


def _check_layout(root: Path) -> None:
    if not root.is_dir():
        raise GapnetError(
            f"data.root={root}: no such folder; "
            "put the data set there or name its place with data.root=..."
        )
    wanted = [root / MAPPING, root / IMAGE_SETS, root / IMAGES]
    missing = [str(path) for path in wanted if not path.exists()]
    if missing:
        raise GapnetError(
            f"data.root={root}: no layout that gapnet reads was found; "
            f"looked for Kaggle's ILSVRC tree, which lacks {' and '.join(missing)}"
        )
