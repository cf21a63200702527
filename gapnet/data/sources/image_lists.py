"""Images that text files list, a path per line and a file per split, as for SUN397 and Indoor67.

ROOT/TRAIN_LIST, ROOT/TEST_LIST    such as Training_01.txt; a line: /a/abbey/sun_aaa.jpg
ROOT/IMAGES/PATH                   the image of a line

The class of an image is its folder, or its name without the number: applauding_001.jpg. The class
index counts the sorted classes of the training list.
"""

import re
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, get_args

from gapnet.data.image_folder import check_inside
from gapnet.data.options import Reader
from gapnet.data.readers.annotations import read_lines
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import one_of, whole_number

ClassIn = Literal["folder", "name"]
NUMBER = re.compile(r"_\d+$")  # at the end of a name
PARTITION = re.compile(r"\{partition(?::0(?P<digits>\d))?\}")


@dataclass(frozen=True)
class ImageLists(Reader):
    """Images that text files list, one for each split.

    Args:
        root: the folder of the data set.
        train_list: path of the list of training images in the root; {partition} and {partition:02}
            stand for the number of the partition.
        test_list: path of the list of test images.
        images: the folder in the root that the paths of the lists are relative to.
        class_in: where the class of an image is: the folder of its path, or its name.
        partition: number of the partition, if the data set has several.
        name: of the data set, for people; None is the name of its folder.
    """

    _: KW_ONLY
    train_list: str
    test_list: str
    images: str = "."
    class_in: ClassIn = "folder"
    partition: int = 1
    name: str | None = None

    kind: ClassVar[str] = "image_lists"

    def __post_init__(self) -> None:
        """Check the values, and read the classes."""
        super().__post_init__()
        one_of("data.class_in", self.class_in, get_args(ClassIn))
        whole_number("data.partition", self.partition)
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; put {self.title} there")
        _ = self.classes  # reads the training list, so that errors show now

    @property
    def title(self) -> str:
        """Return the name of the data set."""
        return self.name or self.root.resolve().name

    @cached_property
    def classes(self) -> list[str]:
        """List the ids of the classes."""
        return sorted({self._class_of(path) for path in self._paths(self.train_split)})

    @property
    def class_names(self) -> list[str]:
        """List the names of the classes: without the folder of the first letter."""
        return [
            re.sub(r"^[a-z]/", "", class_id).replace("/", " ").replace("_", " ")
            for class_id in self.classes
        ]

    def records(self, split: str) -> Records:
        """List the images of a split, in the order of its list."""
        index = {class_id: label for label, class_id in enumerate(self.classes)}
        return Records.of((self._record(path, index) for path in self._paths(split)), self.root)

    def _record(self, path: str, index: dict[str, int]) -> Record:
        class_id = self._class_of(path)
        if class_id not in index:
            raise GapnetError(
                f"{self._list(self.test_split)}: {path} is of class {class_id!r}, which no "
                "training image has; restore the lists"
            )
        return Record(path, self.root / self.images / path, index[class_id], None)

    def _class_of(self, path: str) -> str:
        pure = PurePosixPath(path)
        if self.class_in == "name":
            return NUMBER.sub("", pure.stem)
        return pure.parent.as_posix()

    def _paths(self, split: str) -> list[str]:
        """Return the paths of a split, as ids: without a slash in front."""
        file = self._list(split)
        if not file.is_file():
            raise GapnetError(
                f"data.root={self.root}: has no {file.relative_to(self.root)}; put the lists of "
                f"{self.title} there, or name them with data.train_list=... and data.test_list=..."
            )
        paths = [line.lstrip("/") for line in read_lines(file)]
        for path in paths:
            check_inside(path, str(file))
        return paths

    def _list(self, split: str) -> Path:
        lists = {self.train_split: self.train_list, self.test_split: self.test_list}
        if split not in lists:
            raise MissingSplitError(f"split {split!r} has no list; choose {', '.join(lists)}")
        return self.root / PARTITION.sub(self._number, lists[split])

    def _number(self, match: re.Match[str]) -> str:
        return str(self.partition).zfill(int(match["digits"] or 0))
