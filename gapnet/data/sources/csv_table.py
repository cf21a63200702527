"""Images that a CSV file lists: a line per image, or per object, in columns of any order.

ROOT/labels.csv    image,label[,xmin,ymin,xmax,ymax][,split]; an image is its path under ROOT.
                   Cells of the box may be empty. Without a column `split`, the one split is `all`.

The classes are the sorted labels. xmax and ymax are the last pixels of a box.
"""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from gapnet.data.annotated import AnnotatedImage, AnnotatedImages, Object
from gapnet.data.first_pixel import counted_from_0
from gapnet.data.index import fingerprint
from gapnet.data.object_reader import ObjectReader
from gapnet.data.options import ALL
from gapnet.data.readers.table_objects import read_table_objects
from gapnet.errors import GapnetError
from gapnet.system.value_checks import one_of


@dataclass(frozen=True)
class Csv(ObjectReader):
    """Images that a table lists.

    Args:
        table: the CSV file; by default the only one in the root.
        first_pixel: number of the first pixel in the table, 0 or 1.
    """

    _: KW_ONLY
    table: Path | None = None
    first_pixel: int = 0

    kind: ClassVar[str] = "csv"

    def __post_init__(self) -> None:
        """Check the values, and read the table."""
        one_of("data.first_pixel", self.first_pixel, (0, 1))
        super().__post_init__()

    @property
    def splits(self) -> list[str]:
        """List the splits of the table."""
        return list(self._rows)

    def state(self, split: str) -> str:
        """Return a digest of the table, which has all splits."""
        del split
        return fingerprint(files=[self._file])

    def images(self, split: str) -> AnnotatedImages:
        """List the annotated images of a split; pixels count from 0."""
        return counted_from_0(self.indexed(split), self.first_pixel)

    def read(self, split: str) -> AnnotatedImages:
        """Read a split of the table."""
        images = (AnnotatedImage(image, objects) for image, objects in self._rows[split].items())
        return AnnotatedImages.of(images, self.root)

    @cached_property
    def _rows(self) -> dict[str, dict[str, list[Object]]]:
        """Return the objects by split and image."""
        splits: dict[str, dict[str, list[Object]]] = {}
        for row in read_table_objects(self._file):
            images = splits.setdefault(ALL if row.split is None else row.split, {})
            images.setdefault(row.image, []).append(row.thing)
        if not splits:
            raise GapnetError(f"{self._file}: has no line after its header; list images there")
        return splits

    @cached_property
    def _file(self) -> Path:
        if self.table is not None:
            return Path(self.table)
        tables = sorted(self.root.glob("*.csv"))
        if len(tables) != 1:
            names = ", ".join(path.name for path in tables) or "none"
            raise GapnetError(
                f"data.root={self.root}: must have one .csv file, and has {names}; name it with "
                "data.table=FILE"
            )
        return tables[0]
