"""The page that compares runs: differences with paired intervals, and images under each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gapnet.evaluation.agreement import Counts
from gapnet.evaluation.compare import ACCURACIES, Difference
from gapnet.report.gallery_data import Gallery
from gapnet.report.headline import column_name, is_headline, split_column
from gapnet.report.page import write_template
from gapnet.report.page_numbers import VERDICTS

LIMITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.75, 1.0)  # of the axis of differences, to both sides


class DifferenceBar(NamedTuple):
    """A difference as text, and as a bar on an axis, whose positions are in percent."""

    name: str
    values: tuple[str, str, str, str]
    meaning: str
    left: float
    width: float
    middle: float


@dataclass(frozen=True)
class Pair:
    """The first run and another one.

    Args:
        names: of both runs.
        differences: of their metrics, those of the main protocol first.
        counts: of images on which both are right, only the first, only the other, or none.
    """

    names: tuple[str, str]
    differences: Sequence[Difference]
    counts: Counts

    @property
    def shares(self) -> dict[str, int]:
        """Return the counts in words."""
        words = ("both are right", *(f"only {name} is right" for name in self.names))
        return dict(zip((*words, "both are wrong"), self.counts, strict=True))

    @property
    def headings(self) -> tuple[str, str, str, str]:
        """Return the headings of `difference_cells`."""
        return (*self.names, "difference", "95% interval")

    @property
    def headline(self) -> list[Difference]:
        """Return the headline metrics of the main protocol, or else all of its metrics."""
        main = self.differences[0].metric.partition("/")[0]
        rows = [row for row in self.differences if row.metric.partition("/")[0] == main]
        return [row for row in rows if is_headline(row.metric)] or rows

    @property
    def limit(self) -> float:
        """Return the end of the axis of differences."""
        farthest = max(max(abs(row.low), abs(row.high)) for row in self.headline)
        return next((limit for limit in LIMITS if farthest <= limit), 1.0)

    @property
    def bars(self) -> list[DifferenceBar]:
        """Return the headline metrics as bars."""
        return [difference_bar(row, self.limit) for row in self.headline]


@dataclass(frozen=True)
class Comparison:
    """Content of the page.

    Args:
        title: of the page.
        subject: data and other facts of the first lines, name -> text.
        runs: a header and a row per run: name, folder, network, ...
        pairs: the first run with each other one.
        judged: what decides in `counts` and in the gallery whether an image is right.
        gallery: the images, with one source per run; None without images.
    """

    title: str
    subject: Mapping[str, str]
    runs: Sequence[Sequence[str]]
    pairs: Sequence[Pair]
    judged: str
    gallery: Gallery | None


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page to a file."""
    gallery = comparison.gallery
    write_template(
        "comparison.html.jinja",
        path,
        comparison=comparison,
        row_of=difference_cells,
        name_of=column_name,
        verdicts=VERDICTS,
        gallery=None if gallery is None else gallery.json(),
    )


def difference_cells(row: Difference) -> tuple[str, str, str, str]:
    """Return both values, the difference and its interval as text, as `gapnet compare` does."""
    return (
        f"{100 * row.a:.2f}%",
        f"{100 * row.b:.2f}%",
        f"{100 * row.difference:+.2f}",
        f"{100 * row.low:+.2f} to {100 * row.high:+.2f}",
    )


def difference_bar(row: Difference, limit: float) -> DifferenceBar:
    """Return a difference as a bar on an axis from -limit to limit."""
    left, right, middle = (50 + 50 * x / limit for x in (row.low, row.high, row.difference))
    name, values = column_name(row.metric), difference_cells(row)
    return DifferenceBar(name, values, meaning(row), left, right - left, middle)


def meaning(row: Difference) -> str:
    """Return whether the second run is better, if the interval excludes zero."""
    if row.low <= 0 <= row.high:
        return "no clear difference"
    is_higher_better = split_column(row.metric)[0] in ACCURACIES
    return "better" if (row.low > 0) == is_higher_better else "worse"
