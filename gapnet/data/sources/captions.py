"""Images with captions: those whose caption contains a phrase, and others (figure 10).

TABLE           image,caption; an image is its path under ROOT, and may have several lines
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import ClassVar, Literal, get_args

from gapnet.data.concept_reader import FEWEST, ConceptImage, ConceptReader
from gapnet.data.image_folder import check_inside
from gapnet.errors import GapnetError, reading
from gapnet.system.value_checks import one_of, wrong_value

COLUMNS = ("image", "caption")
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
SMALL_WORDS = frozenset(  # they say nothing about a picture by themselves
    (
        *("a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "is", "its", "of"),
        *("off", "on", "onto", "or", "out", "over", "the", "through", "to", "under", "up", "with"),
    )
)
Without = Literal["words", "phrase"]


@dataclass(frozen=True)
class Captions(ConceptReader):
    """Images with captions; the concept is a phrase.

    Args:
        root: the folder of the images.
        table: CSV file of captions; None is captions.csv in the root.
        phrase: the words that a caption contains, one after the other, in capitals or not.
        without: which other images are negatives: those whose captions contain none of the words
            of the phrase (small words such as "in" do not count), or all without the phrase.
    """

    _: KW_ONLY
    table: Path | None = None
    phrase: str | None = None
    without: Without = "words"

    kind: ClassVar[str] = "captions"

    def __post_init__(self) -> None:
        """Check the values, and read the captions."""
        one_of("data.without", self.without, get_args(Without))
        if not words_of(str(self.phrase or "")):
            raise wrong_value("data.phrase", self.phrase, "must be words, such as 'mirror in lake'")
        super().__post_init__()

    @property
    def concept(self) -> str:
        """Return the phrase."""
        return " ".join(words_of(str(self.phrase)))

    def listed(self) -> Sequence[ConceptImage]:
        """List the images whose captions contain the phrase, or none of its words."""
        captions: dict[str, list[tuple[str, ...]]] = {}
        for image, caption in read_captions(self._table):
            captions.setdefault(image, []).append(words_of(caption))
        phrase = words_of(str(self.phrase))
        images = []
        for image, texts in captions.items():
            positive = any(contains(text, phrase) for text in texts)
            if positive or not any(self._is_near(text, phrase) for text in texts):
                images.append(ConceptImage(image, self.root / image, positive))
        return images

    def too_few(self, kind: str, count: int) -> GapnetError:
        """Return the error for a phrase of too few or too many captions."""
        if kind == "positive":
            return GapnetError(
                f"data.phrase={self.phrase!r}: is in the captions of {count} images of "
                f"{self._table}; at least {FEWEST} are needed; choose another phrase"
            )
        return GapnetError(
            f"data.phrase={self.phrase!r}: {count} images of {self._table} have captions without "
            f"its {self.without}; at least {FEWEST} are needed; add images"
        )

    @property
    def _table(self) -> Path:
        return self.root / "captions.csv" if self.table is None else Path(self.table)

    def _is_near(self, text: Sequence[str], phrase: Sequence[str]) -> bool:
        """Return whether a text without the phrase makes its image no negative."""
        own = set(phrase) - SMALL_WORDS or set(phrase)
        return self.without == "words" and not own.isdisjoint(text)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters.

    >>> words_of("A Mirror, in the lake!")
    ('a', 'mirror', 'in', 'the', 'lake')
    """
    return tuple(word.casefold() for word in WORD.findall(text))


def contains(text: Sequence[str], phrase: Sequence[str]) -> bool:
    """Return whether the words of a phrase stand in a text, one after the other."""
    size = len(phrase)
    return any(tuple(text[at : at + size]) == tuple(phrase) for at in range(len(text) - size + 1))


def read_captions(path: Path) -> Iterator[tuple[str, str]]:
    """Yield images and captions of a table."""
    with (
        reading(path, "is not a CSV file", "restore the file"),
        path.open(encoding="utf-8-sig", newline="") as file,
    ):
        rows = csv.reader(file)
        header = [cell.strip() for cell in next(rows, [])]
        if not set(COLUMNS) <= set(header):
            raise GapnetError(
                f"{path}, line 1: must name the columns {','.join(COLUMNS)}, not "
                f"{','.join(header)!r}"
            )
        image, caption = (header.index(column) for column in COLUMNS)
        for row in rows:
            if not row:
                continue
            where = f"{path}, line {rows.line_num}"
            if len(row) != len(header):
                raise GapnetError(
                    f"{where}: must have {len(header)} columns, not {len(row)}; put captions with "
                    "commas in quotes"
                )
            check_inside(row[image].strip(), where)
            yield row[image].strip(), row[caption]
