"""A table with our results next to those of the paper: in Markdown, LaTeX and CSV."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gapnet.evaluation.seeds import SeedMean
from gapnet.report.markdown import text, unmarked
from gapnet.text.plain_text import plain
from gapnet.text.spreadsheet import write_rows

LATEX_NAMES = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum"}
LATEX_NAMES |= {"<": "less", ">": "greater", "|": "bar"}
ESCAPED = str.maketrans(
    {mark: rf"\{mark}" for mark in "%&_#${}"}
    | {mark: rf"\text{name}{{}}" for mark, name in LATEX_NAMES.items()}
)
DETAILS = ("ours", "low", "high", "n", "seeds", "deviation", "commit", "deviates")


@dataclass(frozen=True)
class Column:
    """A column's heading, and the labels of the metrics in it."""

    heading: str
    labels: Sequence[str]


@dataclass(frozen=True)
class Line:
    """A row of a table.

    Args:
        name: of the method.
        paper: what the paper reports, in percent, by label.
        columns: the columns that have cells in this row.
        results: ours by column, then label. A column that is absent has not been computed yet; a
            result that is None does not exist.
        commit: of the code that computed them.
        deviates: how our method differs from the paper's.
    """

    name: str
    paper: Mapping[str, float] = field(default_factory=dict)
    columns: Sequence[str] = ()
    results: Mapping[str, Mapping[str, SeedMean | None]] = field(default_factory=dict)
    commit: str = ""
    deviates: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        title: of the table.
        paper: the labels of the paper's columns.
        columns: of our results, by key.
        lines: the rows.
        notes: below the table, in Markdown.
    """

    title: str
    paper: Sequence[str]
    columns: Mapping[str, Column]
    lines: Sequence[Line]
    notes: Sequence[str] = ()

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Return the columns and labels of a row's cells, without columns that no row has."""
        used = {column for line in self.lines for column in line.columns}
        return [
            (key, label)
            for key, column in self.columns.items()
            for label in column.labels
            if key in used
        ]


def markdown(sheet: Sheet) -> str:
    """Return a table in Markdown."""
    header = _header(sheet)
    rows = [header, ["---"] * len(header), *_rows(sheet)]
    table = "\n".join(f"| {' | '.join(map(text, row))} |" for row in rows)
    return "\n\n".join([f"**{sheet.title}**", table, *sheet.notes]) + "\n"


def latex(sheet: Sheet) -> str:
    """Return a table in LaTeX, for the package booktabs."""
    header = _header(sheet)
    rows = [_latex_row(header), r"\midrule", *map(_latex_row, _rows(sheet))]
    caption = " ".join([f"{sheet.title}.", *map(unmarked, sheet.notes)])
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{plain(caption).translate(ESCAPED)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(header) - 3)}ll}}",
            r"\toprule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def comma_separated(sheet: Sheet) -> str:
    """Return a table as CSV: one row per result, with all its details."""
    buffer = io.StringIO()
    write_rows(buffer, _csv_rows(sheet), end="\n")
    return buffer.getvalue()


def _csv_rows(sheet: Sheet) -> Iterator[tuple[str, ...]]:
    yield ("method", "column", "figure", "paper", *DETAILS)
    for line in sheet.lines:
        for label in sheet.paper:
            if not line.columns and label in line.paper:
                yield (line.name, "", label, f"{line.paper[label]:.2f}", *[""] * 7, line.deviates)
        for key, label in sheet.cells:
            if key in line.columns:
                details = _details(line.results.get(key, {}).get(label))
                paper = _percent(line.paper.get(label))
                yield (line.name, key, label, paper, *details, line.commit, line.deviates)


def _details(mean: SeedMean | None) -> list[str]:
    if mean is None:
        return [""] * 6
    n = "" if mean.n is None else str(mean.n)
    bounds = [_percent_of(bound) for bound in (mean.low, mean.high)]
    return [_percent_of(mean.value), *bounds, n, str(len(mean.runs)), _percent_of(mean.deviation)]


def _percent_of(share: float | None) -> str:
    return _percent(None if share is None else 100 * share)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _header(sheet: Sheet) -> list[str]:
    ours = [f"{sheet.columns[key].heading}, {label}" for key, label in sheet.cells]
    paper = [f"paper, {label}" for label in sheet.paper]
    return ["method", *paper, *ours, "n", "commit", "deviates"]


def _rows(sheet: Sheet) -> Iterator[list[str]]:
    for line in sheet.lines:
        paper = [_percent(line.paper.get(label)) for label in sheet.paper]
        ours = [_cell(line, key, label) for key, label in sheet.cells]
        means = [mean for column in line.results.values() for mean in column.values() if mean]
        counts = sorted({mean.n for mean in means if mean.n is not None})
        n = ", ".join(f"{count:,}" for count in counts)
        yield [line.name, *paper, *ours, n, line.commit, line.deviates]


def _cell(line: Line, key: str, label: str) -> str:
    """Return a result in percent, with its interval and its deviation over seeds."""
    if key in line.columns and key not in line.results:
        return "?"
    mean = line.results.get(key, {}).get(label)
    if mean is None:
        return ""
    spread = []
    if mean.low is not None and mean.high is not None:
        spread.append(f"{100 * mean.low:.2f} to {100 * mean.high:.2f}")
    if mean.deviation is not None:
        spread.append(f"sd {100 * mean.deviation:.2f}")
    return _percent_of(mean.value) + (f" ({'; '.join(spread)})" if spread else "")


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(plain(cell).translate(ESCAPED) for cell in cells) + r" \\"
