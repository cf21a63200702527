"""features/: the rows of a folder of features, and features in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapnet.data.record_table import UNKNOWN
from gapnet.errors import GapnetError
from gapnet.evaluation.store import About, Kind, read_parts

Vectors = NDArray[np.float32]
BASE = (
    ("id", pa.string()),
    ("height", pa.int32()),  # 0 for an image that could not be read, which has no vectors
    ("width", pa.int32()),
    ("label", pa.int32()),
    ("labels", pa.list_(pa.int32())),  # all classes of an image, in multi-label data
)


@dataclass(frozen=True)
class FeatureRow:
    """The vectors of one image by layer, None if it could not be read; and its classes."""

    id: str
    height: int
    width: int
    label: int
    labels: Sequence[int]
    vectors: dict[str, Vectors | None]

    def _asdict(self) -> dict[str, Any]:
        """Return the values by column."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        del own["vectors"]
        return own | self.vectors


@dataclass(frozen=True)
class Features:
    """Vectors of a split's images at one layer.

    Args:
        ids: of N images, in the order of the ids.
        vectors: (N, D).
        labels: of the images, (N,); -1 where unknown.
        label_sets: all classes of each image, in multi-label data; else empty.
        unreadable: ids of the images that could not be read.
        unreadable_labels: of these images.
        about: what made them.
    """

    ids: list[str]
    vectors: Vectors
    labels: NDArray[np.int64]
    label_sets: list[list[int]]
    unreadable: list[str]
    unreadable_labels: NDArray[np.int64]
    about: About

    @property
    def multi_label(self) -> bool:
        """Return whether an image may have several classes."""
        return any(self.label_sets)

    def targets(self) -> NDArray[np.bool_]:
        """Return which classes each image has, (N, classes)."""
        targets = np.zeros((len(self.ids), len(self.about.classes)), bool)
        sets = self.label_sets if self.multi_label else [[label] for label in self.labels.tolist()]
        for row, labels in enumerate(sets):
            targets[row, [label for label in labels if label != UNKNOWN]] = True
        return targets


def feature_kind(layers: Sequence[str]) -> Kind:
    """Return the kind of rows that have the vectors of these layers."""
    columns = [(layer, pa.list_(pa.float32())) for layer in layers]
    return Kind("features", pa.schema([*BASE, *columns]), _invalid_column, repeats=False)


def read_features(folder: Path, layers: Sequence[str], layer: str) -> Features:
    """Read the vectors of one layer from a folder that has those of `layers`."""
    table, about = read_parts(folder, kind=feature_kind(layers))
    order = np.argsort(table["id"].to_numpy().astype(str))  # ranks write in any order
    is_readable = table["height"].to_numpy()[order] > 0
    readable, broken = order[is_readable], order[~is_readable]
    labels = table["label"].to_numpy().astype(np.int64)
    ids: list[str] = table["id"].to_pylist()
    sets: list[list[int]] = table["labels"].to_pylist()
    return Features(
        ids=[ids[row] for row in readable],
        vectors=_matrix(table[layer])[_places(table[layer], readable)],
        labels=labels[readable],
        label_sets=[sets[row] for row in readable],
        unreadable=[ids[row] for row in broken],
        unreadable_labels=labels[broken],
        about=about,
    )


def _matrix(column: pa.ChunkedArray) -> Vectors:
    """Return the vectors that are not null, one below the other."""
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in column.chunks])
    width = _widths(column).max(initial=0)
    if not width:
        raise GapnetError(
            "features: no image could be read; restore the images, and write the features again"
        )
    return flat.reshape(-1, width)


def _places(column: pa.ChunkedArray, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the vectors of rows are among those that are not null."""
    present = _widths(column) > 0
    return (np.cumsum(present) - 1)[rows]


def _widths(column: pa.ChunkedArray) -> NDArray[np.int64]:
    lengths = [chunk.value_lengths().fill_null(0).to_numpy() for chunk in column.chunks]
    return np.concatenate(lengths).astype(np.int64)


def _invalid_column(table: pa.Table, about: About) -> str | None:
    """Return the name of a column with invalid values; None if all are valid."""
    classes = len(about.classes)
    for name in ("id", "height", "width", "label", "labels"):
        if table[name].null_count:
            return name
    for name in ("label", "labels"):
        if not _are_classes(table[name], classes):
            return name
    readable = table["height"].to_numpy() > 0
    for name in table.column_names[len(BASE) :]:
        if not _are_vectors(table[name], readable):
            return str(name)
    return None


def _are_classes(column: pa.ChunkedArray, classes: int) -> bool:
    values = column.combine_chunks()
    flat = values.flatten() if pa.types.is_list(values.type) else values
    if flat.null_count:
        return False
    numbers = flat.to_numpy()
    return bool(((numbers >= UNKNOWN) & (numbers < classes)).all())


def _are_vectors(column: pa.ChunkedArray, readable: NDArray[np.bool_]) -> bool:
    """Return whether readable images have finite vectors of one length, and the others none."""
    widths = _widths(column)
    flat = [chunk.flatten() for chunk in column.chunks]
    return (
        len(set(widths[readable].tolist())) <= 1
        and bool(((widths > 0) == readable).all())
        and all(not chunk.null_count and np.isfinite(chunk.to_numpy()).all() for chunk in flat)
    )
