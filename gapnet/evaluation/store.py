"""predictions/: a folder of Parquet parts, one row per image, written whole or not at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gapnet.data.file_names import check_split
from gapnet.errors import GapnetError, reading
from gapnet.evaluation.first_version import read_texts
from gapnet.evaluation.row_checks import unsound
from gapnet.evaluation.table_digest import with_digest, without_digest
from gapnet.system.files import atomic_file

IDENTITY, TEXTS = "identity", ("network", "rules", "batches")  # of an About
FLUSH_EVERY = 512  # rows; what a killed prediction loses at most
# classes and scores: the most probable ones and their probabilities, best first. guess_boxes: four
# numbers a guess, inclusive xyxy in pixels of the file. known_box: that of the true class, by the
# boxer's own rule. swept_boxes: those of the true class at the cuts of a sweep, in cells of a grid
# (height, width) that lies over the window (edges in pixels of the file); swept_cuts: the index of
# each one's cut. pixels: how many of the object's, and of the other pixels, are as warm as each bin
# of the heat says. What does not apply is null; an image that could not be read has height 0.
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
    """Say what predictions were made of and by: it is kept in every part.

    Args:
        split: of the data.
        classes: ids in the order of the index.
        network: its name, or what else made them.
        rules: of the localizer.
        cut: the boxer's own.
        cuts: of the sweep.
        weights: a digest of the network's.
        data: a digest of the images' list and truth.
        batches: how images were shown and batched, which moves the last digits of a network.
        numbers: ILSVRC's own number of each class, where the data set tells.
        identity: of the network, the rules and the batches, by which parts are compared; the texts
            of them are for people. Parts of the first version have none.
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
        """Write it down."""
        return json.dumps(self.__dict__)

    @classmethod
    def of(cls, text: str) -> "About":
        """Read what `text` wrote."""
        told = json.loads(text)
        lists = {name: tuple(each) for name, each in told.items() if isinstance(each, list)}
        about = cls(**told | lists)
        about._check()
        return about

    def _check(self) -> None:
        """Refuse values of other types than are declared."""
        numbers = [*self.cuts, *self.numbers, *(() if self.cut is None else (self.cut,))]
        texts = [self.split, self.network, self.rules, self.weights, self.data, self.batches]
        known = all(isinstance(each, int | float) for each in numbers)
        kept = isinstance(self.identity, dict) and set(self.identity) in (set(), set(TEXTS))
        if not (kept and known and all(isinstance(each, str) for each in (*self.classes, *texts))):
            raise TypeError("what it says of itself is of another type")
        check_split(self.split)

    def differences(self, other: "About") -> list[str]:
        """Name what differs."""
        mine, theirs = self._compared(), other._compared()
        return [name for name in mine if mine[name] != theirs[name]]

    def _compared(self) -> dict[str, Any]:
        """Give what tells predictions apart: identities in place of texts."""
        texts = {name: getattr(self, name) for name in TEXTS}
        own = {name: value for name, value in self.__dict__.items() if name != IDENTITY}
        return own | (dict(self.identity) or read_texts(**texts))


class Row(NamedTuple):
    """Hold the prediction for one image; fields as in the schema."""

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
    """Write rows in parts; each part gets its name when it is complete.

    Args:
        folder: of the parts.
        about: goes into each part.
        rank: of the process, for the parts' names.
    """

    folder: Path
    about: About
    rank: int = 0
    rows: list[Row] = field(default_factory=list)
    part: int = 0

    def __post_init__(self) -> None:
        """Leave the parts alone that are there already."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows, and write a part when there are enough."""
        self.rows += rows
        if len(self.rows) >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what is there."""
        if not self.rows:
            return
        table = pa.Table.from_pylist([row._asdict() for row in self.rows], schema=SCHEMA)
        write_table(table, self.about, self._next())
        self.rows = []

    def _next(self) -> Path:
        while (path := self.folder / f"part-{self.rank:03d}-{self.part:05d}.parquet").exists():
            self.part += 1
        return path


def write_table(table: pa.Table, about: About, path: Path) -> None:
    """Write a part."""
    described = with_digest(table.replace_schema_metadata({"gapnet": about.text()}))
    with atomic_file(path) as unfinished:
        pq.write_table(described, unfinished, compression="zstd", write_page_checksum=True)


def done(folder: Path, about: About) -> set[str]:
    """List the images that are predicted already; predictions about something else are refused."""
    ids: set[str] = set()
    for part in sorted(folder.glob("part-*.parquet")):
        table, made = _read_part(part)
        differing = made.differences(about)
        if differing:
            raise GapnetError(
                f"{folder}: was predicted with another {', '.join(differing)}; "
                "leave out resume=true, or name another folder=..."
            )
        ids.update(table["id"].to_pylist())
    return ids


def read_parts(folder: Path) -> tuple[pa.Table, About]:
    """Read all parts; an image that was predicted twice counts once."""
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise GapnetError(f"{folder}: holds no predictions (part-*.parquet)")
    tables, abouts = zip(*map(_read_part, parts), strict=True)
    if any(each.differences(abouts[0]) for each in abouts):
        raise GapnetError(f"{folder}: its parts were made by different networks or rules")
    table = pa.concat_tables(tables)
    _, first = np.unique(table["id"].to_numpy().astype(str), return_index=True)
    pa.default_memory_pool().release_unused()
    unique = table if len(first) == table.num_rows else table.take(pa.array(np.sort(first)))
    return unique, abouts[0]


def _read_part(part: Path) -> tuple[pa.Table, About]:
    fix = "remove it; resume=true predicts its images again"
    with reading(part, "cannot be read as predictions", fix):
        table = pq.read_table(part, page_checksum_verification=True)
        table.validate(full=True)
        table = without_digest(table)
    with reading(part, "was not written by this version of gapnet"):
        about = About.of((table.schema.metadata or {})[b"gapnet"])
    if not table.schema.equals(SCHEMA, check_metadata=False):
        raise GapnetError(f"{part}: its columns are not those of gapnet's predictions")
    wrong = unsound(table, classes=len(about.classes), cuts=len(about.cuts))
    if wrong is not None:
        raise GapnetError(
            f"{part}: contains invalid predictions (invalid values in {wrong}); remove it"
        )
    return table, about
