"""The annotated images of a split as columns: each with its objects, before one class is chosen."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapnet.errors import reading

SIDES = 4  # numbers of a box
NO_BOX = [float("nan")] * SIDES
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("classes", pa.list_(pa.string())),  # of each object
        ("boxes", pa.list_(pa.float32())),  # of each object, four numbers; NaN: it has no box
        ("height", pa.int32()),  # 0: the annotation does not state the size
        ("width", pa.int32()),
    ]
)
FACTS = b"gapnet"  # key of the classes and notes in the file's metadata


class Object(NamedTuple):
    """An object in an image: the id of its class, and its inclusive box if it has one."""

    class_id: str
    box: Sequence[float] | None


class AnnotatedImage(NamedTuple):
    """An image with its objects; `size` is (height, width), or (0, 0) if it is not known.

    The id is its path under the root, with forward slashes.
    """

    id: str
    objects: Sequence[Object]
    size: tuple[int, int] = (0, 0)


class AnnotatedImages:
    """Annotated images as columns; `classes` are those that the annotations list.

    `notes` are sentences about the annotations that a user should read.
    """

    SCHEMA: ClassVar[pa.Schema] = SCHEMA

    def __init__(
        self, table: pa.Table, root: Path, classes: Sequence[str], notes: Sequence[str] = ()
    ) -> None:
        """Store a table of the schema."""
        self.table, self.root, self.classes, self.notes = table, root, list(classes), list(notes)

    @classmethod
    def of(
        cls,
        images: Iterable[AnnotatedImage],
        root: Path,
        *,
        classes: Sequence[str] | None = None,
        notes: Sequence[str] = (),
    ) -> "AnnotatedImages":
        """Make columns; without a list of classes, these are the sorted ones of the objects."""
        rows = [_row(image) for image in images]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        seen = table["classes"].combine_chunks().flatten().unique().to_pylist()
        return cls(table, root, sorted(seen) if classes is None else classes, notes)

    @classmethod
    def open(cls, path: Path, root: Path) -> "AnnotatedImages":
        """Map a file that `save` wrote into memory, and check it."""
        with reading(path, "is no index of annotated images", "write it again"):
            with pa.memory_map(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
            if not table.schema.equals(SCHEMA):
                raise ValueError("its columns do not match this version of gapnet")
            table.validate(full=True)
            facts = json.loads(table.schema.metadata[FACTS])
            return cls(table, root, facts["classes"], facts["notes"])

    def save(self, path: Path) -> None:
        """Write an Arrow file."""
        facts = json.dumps({"classes": self.classes, "notes": self.notes})
        table = self.table.replace_schema_metadata({FACTS: facts})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)

    def __len__(self) -> int:
        """Count the images."""
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        """Iterate over the images."""
        for batch in self.table.to_batches(max_chunksize=4096):
            yield from map(self._image, batch.to_pylist())

    def boxes(self) -> NDArray[np.float32]:
        """Return the boxes of all objects (M, 4); NaN where an object has none."""
        flat = self.table["boxes"].combine_chunks().flatten()
        values: NDArray[np.float32] = flat.to_numpy(zero_copy_only=False).reshape(-1, SIDES)
        return values

    def sizes(self) -> NDArray[np.int32]:
        """Return the (height, width) of the image of every object (M, 2)."""
        counts = self.table["classes"].combine_chunks().value_lengths().to_numpy()
        columns = [self.table[name].to_numpy() for name in ("height", "width")]
        sizes: NDArray[np.int32] = np.stack(columns, 1).repeat(counts, axis=0)
        return sizes

    def shifted(self, by: int) -> "AnnotatedImages":
        """Return the images with `by` added to every coordinate."""
        lists = self.table["boxes"].combine_chunks()
        moved = pa.ListArray.from_arrays(
            lists.offsets, pa.array((self.boxes() + by).ravel(), pa.float32())
        )
        column = SCHEMA.get_field_index("boxes")
        table = self.table.set_column(column, SCHEMA.field(column), moved)
        return AnnotatedImages(table, self.root, self.classes, self.notes)

    def _image(self, row: dict[str, object]) -> AnnotatedImage:
        classes, flat = row["classes"], row["boxes"]
        assert isinstance(classes, list)
        assert isinstance(flat, list)
        boxes = [flat[start : start + SIDES] for start in range(0, len(flat), SIDES)]
        objects = [
            Object(class_id, None if box[0] != box[0] else box)  # NaN differs from itself
            for class_id, box in zip(classes, boxes, strict=True)
        ]
        size = (int(str(row["height"])), int(str(row["width"])))
        return AnnotatedImage(str(row["id"]), objects, size)


def _row(image: AnnotatedImage) -> dict[str, object]:
    boxes = [NO_BOX if thing.box is None else thing.box for thing in image.objects]
    return {
        "id": image.id,
        "classes": [thing.class_id for thing in image.objects],
        "boxes": [number for box in boxes for number in box],
        "height": image.size[0],
        "width": image.size[1],
    }
