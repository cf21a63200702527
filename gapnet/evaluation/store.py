"""Folders of Parquet parts, one row per image, written atomically: predictions/, features/."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gapnet.data.file_names import check_split
from gapnet.errors import GapnetError, reading
from gapnet.evaluation.first_version import read_texts
from gapnet.evaluation.row_checks import invalid_column
from gapnet.evaluation.table_digest import with_digest, without_digest
from gapnet.system.files import atomic_file

IDENTITY, TEXTS = "identity", ("network", "rules", "batches")  # fields of About
FLUSH_EVERY = 512  # rows; a killed prediction loses at most these
# classes and scores: the most probable classes and their probabilities, best first. guess_boxes:
# four numbers per guess, inclusive xyxy in pixels of the file. known_box: box of the true class at
# the boxer's cut. swept_boxes: boxes of the true class at the cuts of a sweep, in cells of a grid
# (height, width) over the window (edges in pixels of the file); swept_cuts: the cut index per
# box. pixels: histograms of the map on the object's and on the other pixels. Values that do
# not apply are null; an image that could not be read has height 0.
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("classes", pa.list_(pa.int32())),
        ("scores", pa.list_(pa.float32())),
        ("guess_labels", pa.list_(pa.int32())),
        ("guess_boxes", pa.list_(pa.float32())),
        ("known_box", pa.list_(pa.float32())),
        ("window", pa.list_(pa.float32())),
        ("grid", pa.list_(pa.int16())),
        ("swept_boxes", pa.list_(pa.int16())),
        ("swept_cuts", pa.list_(pa.int16())),
        ("pixels", pa.list_(pa.int32())),
    ]
)


@dataclass(frozen=True)
class About:
    """What predictions were made from; saved in the metadata of every part.

    Args:
        split: of the data.
        classes: ids in the order of the index.
        network: its name and arguments, or another source of predictions.
        rules: of the localizer.
        cut: of the boxer.
        cuts: of the sweep.
        weights: a digest of the network's weights.
        data: a digest of the list of images and their truth.
        batches: view and batches, which change the last digits of a network's output.
        numbers: ILSVRC's numbers by class index, if the data set has them.
        identity: of network, rules and batches, by which parts are compared; their texts are for
            people. Parts of the first version have none.
    """

    split: str
    classes: tuple[str, ...]
    network: str
    rules: str = ""
    cut: float | None = None
    cuts: tuple[float, ...] = ()
    weights: str = ""
    data: str = ""
    batches: str = ""
    numbers: tuple[int, ...] = ()
    identity: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return the values as JSON."""
        return json.dumps(self.__dict__)

    @classmethod
    def of(cls, text: str) -> "About":
        """Return the values from JSON, after checking their types."""
        values = json.loads(text)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        about = cls(**values | lists)
        about._check()
        return about

    def _check(self) -> None:
        """Refuse values of the wrong type."""
        numbers = [*self.cuts, *self.numbers, *(() if self.cut is None else (self.cut,))]
        texts = [self.split, self.network, self.rules, self.weights, self.data, self.batches]
        are_numbers = all(isinstance(number, int | float) for number in numbers)
        are_texts = all(isinstance(text, str) for text in (*self.classes, *texts))
        has_identity = isinstance(self.identity, dict) and set(self.identity) in (set(), set(TEXTS))
        if not (has_identity and are_numbers and are_texts):
            raise TypeError("a value in its metadata has the wrong type")
        check_split(self.split)

    def differences(self, other: "About") -> list[str]:
        """Return the names of the values that differ."""
        mine, theirs = self._compared(), other._compared()
        return [name for name in mine if mine[name] != theirs[name]]

    def _compared(self) -> dict[str, Any]:
        """Return the values that are compared: identities in place of texts."""
        texts = {name: getattr(self, name) for name in TEXTS}
        own = {name: value for name, value in self.__dict__.items() if name != IDENTITY}
        return own | (dict(self.identity) or read_texts(**texts))


@dataclass(frozen=True)
class Kind:
    """What the rows of parts are.

    Args:
        name: for messages.
        schema: of the columns; the first one is the id of an image.
        invalid: returns the name of a column with invalid values, or None.
        repeats: whether values repeat, so that a dictionary of them makes the files smaller.
    """

    name: str
    schema: pa.Schema
    invalid: Callable[[pa.Table, About], str | None]
    repeats: bool = True


def _invalid_prediction(table: pa.Table, about: About) -> str | None:
    return invalid_column(table, classes=len(about.classes), cuts=len(about.cuts))


PREDICTIONS = Kind("predictions", SCHEMA, _invalid_prediction)


class AnyRow(Protocol):
    """A row of parts, whose fields are those of the schema."""

    def _asdict(self) -> dict[str, Any]: ...


class Row(NamedTuple):
    """Prediction for one image; fields as in the schema."""

    id: str
    height: int
    width: int
    classes: Sequence[int]
    scores: Sequence[float]
    guess_labels: Sequence[int]
    guess_boxes: Sequence[float]
    known_box: Sequence[float] | None = None
    window: Sequence[float] | None = None
    grid: Sequence[int] | None = None
    swept_boxes: NDArray[np.int16] | None = None
    swept_cuts: NDArray[np.int16] | None = None
    pixels: NDArray[np.int32] | None = None


@dataclass
class Writer:
    """Writer of rows in parts, which are written atomically.

    Args:
        folder: of the parts.
        about: saved in every part.
        rank: of the process, for the names of the parts.
        kind: of the rows.
    """

    folder: Path
    about: About
    rank: int = 0
    rows: list[AnyRow] = field(default_factory=list)
    part: int = 0
    kind: Kind = PREDICTIONS

    def __post_init__(self) -> None:
        """Create the folder; existing parts stay."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, rows: Sequence[AnyRow]) -> None:
        """Add rows, and write a part if there are enough."""
        self.rows += rows
        if len(self.rows) >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write the rows that are not written yet."""
        if not self.rows:
            return
        table = pa.Table.from_pylist([row._asdict() for row in self.rows], schema=self.kind.schema)
        write_table(table, self.about, self._next_path(), repeats=self.kind.repeats)
        self.rows = []

    def _next_path(self) -> Path:
        while (path := self.folder / f"part-{self.rank:03d}-{self.part:05d}.parquet").exists():
            self.part += 1
        return path


def write_table(table: pa.Table, about: About, path: Path, *, repeats: bool = True) -> None:
    """Write a part, with its description and a digest."""
    described = with_digest(table.replace_schema_metadata({"gapnet": about.text()}))
    with atomic_file(path) as unfinished:
        pq.write_table(
            described,
            unfinished,
            compression="zstd",
            use_dictionary=repeats,
            write_page_checksum=True,
        )


def done(folder: Path, about: About, *, kind: Kind = PREDICTIONS) -> set[str]:
    """Return the ids of the images that have rows; refuse rows that were made in another way."""
    ids: set[str] = set()
    for part in sorted(folder.glob("part-*.parquet")):
        table, part_about = _read_part(part, kind)
        differing = part_about.differences(about)
        if differing:
            raise GapnetError(
                f"resume=true: {folder} was made with another {', '.join(differing)}; "
                "leave out resume=true, or choose another folder=..."
            )
        ids.update(table["id"].to_pylist())
    return ids


def read_parts(folder: Path, *, kind: Kind = PREDICTIONS) -> tuple[pa.Table, About]:
    """Return the rows of all parts; an image that was predicted twice has one row."""
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise GapnetError(f"{kind.name}={folder}: contains no {kind.name} (part-*.parquet)")
    tables, abouts = zip(*(_read_part(part, kind) for part in parts), strict=True)
    if any(about.differences(abouts[0]) for about in abouts):
        raise GapnetError(
            f"{kind.name}={folder}: its parts were made by different networks or rules; delete the "
            "folder, and make them again"
        )
    table = pa.concat_tables(tables)
    _, first = np.unique(table["id"].to_numpy().astype(str), return_index=True)
    pa.default_memory_pool().release_unused()
    unique = table if len(first) == table.num_rows else table.take(pa.array(np.sort(first)))
    return unique, abouts[0]


def _read_part(part: Path, kind: Kind) -> tuple[pa.Table, About]:
    fix = "remove it; resume=true processes its images again"
    with reading(part, f"cannot be read as {kind.name}", fix):
        table = pq.read_table(part, page_checksum_verification=True)
        table.validate(full=True)
        table = without_digest(table)
    with reading(part, "was not written by this version of gapnet"):
        about = About.of((table.schema.metadata or {})[b"gapnet"])
    if not table.schema.equals(kind.schema, check_metadata=False):
        raise GapnetError(f"{part}: its columns differ from those of {kind.name}; remove it")
    invalid = kind.invalid(table, about)
    if invalid is not None:
        raise GapnetError(f"{part}: has invalid values in {invalid}; remove it")
    return table, about
