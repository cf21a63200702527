"""Ground truth of retrieval benchmarks: which images of a base belong to each query.

oxford      Oxford5k, Paris6k: a folder of `NAME_query.txt`, `_good.txt`, `_ok.txt`, `_junk.txt`
revisited   gnd_roxford5k.pkl, gnd_rparis6k.pkl: names of images, and easy, hard and junk ones
holidays    no file: NNNN00.jpg is a query, and NNNN01.jpg and the following ones belong to it
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from gapnet.data.readers.annotations import read_lines
from gapnet.errors import GapnetError, reading
from gapnet.system.plain_pickle import read_plain_pickle

Rules = Literal["oxford", "revisited", "holidays"]
Box = tuple[float, float, float, float]
QUERY = "_query.txt"
PREFIX = "oxc1_"  # of Oxford's query images, which their files do not have
GROUPS: Mapping[str, tuple[str, ...]] = {
    "oxford": ("good", "ok", "junk"),
    "revisited": ("easy", "hard", "junk"),
    "holidays": ("same", "itself"),
}
HUNDRED = 100  # Holidays: images of one place have the same number but for the last two digits


@dataclass(frozen=True)
class Query:
    """A query, and the images of the base by group, such as good and junk.

    Args:
        id: of the query.
        image: id of its image.
        box: the part of the image that is searched for; None is the whole image.
        groups: ids of images of the base.
    """

    id: str
    image: str
    box: Box | None
    groups: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Truth:
    """Queries, and the rules by which they are scored.

    Args:
        rules: oxford, revisited or holidays.
        queries: in a fixed order.
        base: ids of the images that are searched; None is all of the data set.
        place: what was read, for errors.
    """

    rules: Rules
    queries: Sequence[Query]
    base: Sequence[str] | None
    place: str


@runtime_checkable
class WithTruth(Protocol):
    """A data set with the ground truth of a retrieval benchmark."""

    @property
    def truth(self) -> Truth:
        """Queries and what belongs to them."""
        ...

    @property
    def base_split(self) -> str:
        """Split of the images that are searched."""
        ...

    @property
    def query_split(self) -> str:
        """Split of the queries."""
        ...


def read_oxford(folder: Path) -> Truth:
    """Read the text files of Oxford5k or Paris6k."""
    if not folder.is_dir():
        raise GapnetError(
            f"data.ground_truth={folder}: no such folder; unpack the text files there"
        )
    names = sorted(path.name.removesuffix(QUERY) for path in folder.glob(f"*{QUERY}"))
    if not names:
        raise GapnetError(
            f"data.ground_truth={folder}: has no file *{QUERY}; name the folder of the text files"
        )
    return Truth("oxford", [_oxford_query(folder, name) for name in names], None, str(folder))


def _oxford_query(folder: Path, name: str) -> Query:
    path = folder / f"{name}{QUERY}"
    with reading(path, "must be one line, IMAGE x1 y1 x2 y2"):
        image, *corners = path.read_text(encoding="utf-8").split()
        box = _box(corners)
    groups = {
        group: frozenset(read_lines(folder / f"{name}_{group}.txt")) for group in GROUPS["oxford"]
    }
    return Query(name, image.removeprefix(PREFIX), box, groups)


def read_revisited(path: Path) -> Truth:
    """Read the file of revisited Oxford or Paris; it is a pickle, but no code in it is run."""
    content = read_plain_pickle(path)
    with reading(path, "is not the ground truth of revisited Oxford or Paris"):
        base, images = (_names(content[key]) for key in ("imlist", "qimlist"))
        if len(content["gnd"]) != len(images):
            raise ValueError(f"{len(content['gnd'])} entries for {len(images)} queries")
        queries = [
            _revisited_query(image, entry, base)
            for image, entry in zip(images, content["gnd"], strict=True)
        ]
    return Truth("revisited", queries, base, str(path))


def _revisited_query(image: str, entry: Mapping[str, Any], base: Sequence[str]) -> Query:
    groups = {
        group: frozenset(base[_index(place, len(base))] for place in entry[group])
        for group in GROUPS["revisited"]
    }
    return Query(image, image, _box(entry["bbx"]), groups)


def holidays_truth(images: Iterable[str], place: str) -> Truth:
    """Return the ground truth that the names of INRIA Holidays' images contain."""
    places: dict[int, list[str]] = {}
    for image in sorted(images):
        if not image.isdecimal():
            raise GapnetError(
                f"{place}: image {image} must have a number as its name, as in INRIA Holidays; "
                "name another folder"
            )
        places.setdefault(int(image) // HUNDRED, []).append(image)
    return Truth("holidays", [_holidays_query(one, place) for one in places.values()], None, place)


def _holidays_query(images: Sequence[str], place: str) -> Query:
    first, *others = images
    if int(first) % HUNDRED or not others:
        missing = "query, whose number ends in 00" if int(first) % HUNDRED else "other image"
        raise GapnetError(f"{place}: the group of image {first} has no {missing}; restore it")
    return Query(first, first, None, {"same": frozenset(others), "itself": frozenset([first])})


def _box(corners: Sequence[Any]) -> Box:
    x1, y1, x2, y2 = (float(corner) for corner in corners)
    if not (x1 <= x2 and y1 <= y2):  # false for NaN
        raise ValueError(f"box {x1} {y1} {x2} {y2}")
    return x1, y1, x2, y2


def _names(values: Sequence[Any]) -> list[str]:
    names = [str(value) for value in values]
    if len(set(names)) < len(names):
        raise ValueError("an image is listed twice")
    return names


def _index(value: object, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise ValueError(f"image {value} of {count}")
    return value
