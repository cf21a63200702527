"""The annotated images of a split as columns: images with objects, before a class is chosen."""

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
        ("classes", pa.list_(pa.string())),  # of all objects
        ("boxes", pa.list_(pa.float32())),  # of all objects, four numbers per box; NaN: no box
        ("height", pa.int32()),  # 0: the annotation does not state the size
        ("width", pa.int32()),
    ]
)
CLASSES = b"gapnet.classes"  # key of the classes in the file's metadata


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
    """Annotated images as columns; `classes` are those that the annotations list."""

    SCHEMA: ClassVar[pa.Schema] = SCHEMA

    def __init__(self, table: pa.Table, root: Path, classes: Sequence[str]) -> None:
        """Store a table of the schema."""
        self.table, self.root, self.classes = table, root, list(classes)

    @classmethod
    def of(
        cls, images: Iterable[AnnotatedImage], root: Path, *, classes: Sequence[str] | None = None
    ) -> "AnnotatedImages":
        """Make columns; `classes` are by default the sorted classes of the objects."""
        images = list(images)
        ids = [[thing.class_id for thing in image.objects] for image in images]
        boxes = [[_numbers(thing) for thing in image.objects] for image in images]
        table = pa.table(
            {
                "id": [image.id for image in images],
                "classes": ids,
                "boxes": [[number for box in own for number in box] for own in boxes],
                "height": [image.size[0] for image in images],
                "width": [image.size[1] for image in images],
            },
            schema=SCHEMA,
        )
        seen = sorted({class_id for own in ids for class_id in own})
        return cls(table, root, seen if classes is None else classes)

    @classmethod
    def open(cls, path: Path, root: Path) -> "AnnotatedImages":
        """Map a file that `save` wrote into memory, and check it."""
        with reading(path, "is not an index of annotated images", "write it again"):
            with pa.memory_map(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
            if not table.schema.equals(SCHEMA):
                raise ValueError("its columns do not match this version of gapnet")
            table.validate(full=True)
            return cls(table, root, json.loads(table.schema.metadata[CLASSES]))

    def save(self, path: Path) -> None:
        """Write an Arrow file."""
        table = self.table.replace_schema_metadata({CLASSES: json.dumps(self.classes)})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)

    def __len__(self) -> int:
        """Count the images."""
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        """Iterate over the images."""
        for batch in self.table.to_batches(max_chunksize=4096):
            yield from map(_image, batch.to_pylist())

    @property
    def ids(self) -> list[str]:
        """List the ids."""
        ids: list[str] = self.table["id"].to_pylist()
        return ids

    def object_classes(self) -> pa.StringArray:
        """Return the ids of the classes of all objects, (M,)."""
        return self.table["classes"].combine_chunks().flatten()

    def owners(self) -> NDArray[np.int64]:
        """Return the row of the image of every object, (M,)."""
        counts = self.table["classes"].combine_chunks().value_lengths().to_numpy()
        owners: NDArray[np.int64] = np.arange(len(self)).repeat(counts)
        return owners

    def boxes(self) -> NDArray[np.float32]:
        """Return the boxes of all objects (M, 4); NaN where an object has none."""
        flat = self.table["boxes"].combine_chunks().flatten()
        values: NDArray[np.float32] = flat.to_numpy(zero_copy_only=False).reshape(-1, SIDES)
        return values

    def sizes(self) -> NDArray[np.int32]:
        """Return the (height, width) of all images (N, 2)."""
        columns = [self.table[name].to_numpy() for name in ("height", "width")]
        sizes: NDArray[np.int32] = np.stack(columns, 1)
        return sizes

    def shifted(self, by: int) -> "AnnotatedImages":
        """Return the images with `by` added to every coordinate."""
        lists = self.table["boxes"].combine_chunks()
        moved = pa.ListArray.from_arrays(
            lists.offsets, pa.array((self.boxes() + by).ravel(), pa.float32())
        )
        column = SCHEMA.get_field_index("boxes")
        table = self.table.set_column(column, SCHEMA.field(column), moved)
        return AnnotatedImages(table, self.root, self.classes)


def _numbers(thing: Object) -> Sequence[float]:
    return NO_BOX if thing.box is None else thing.box


def _image(row: dict[str, list[str] | list[float] | str | int]) -> AnnotatedImage:
    classes, flat = row["classes"], row["boxes"]
    assert isinstance(classes, list)
    assert isinstance(flat, list)
    boxes = [flat[start : start + SIDES] for start in range(0, len(flat), SIDES)]
    objects = [
        Object(str(class_id), None if box[0] != box[0] else [float(number) for number in box])
        for class_id, box in zip(classes, boxes, strict=True)  # NaN differs from itself
    ]
    return AnnotatedImage(
        str(row["id"]), objects, (int(str(row["height"])), int(str(row["width"])))
    )
