"""A table of the paper, ours beside the paper's: in Markdown, LaTeX and CSV."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gapnet.evaluation.seeds import Averaged
from gapnet.report.markdown import text, unmarked
from gapnet.report.paper_figures import Quoted
from gapnet.text.plain_text import plain
from gapnet.text.spreadsheet import write_rows

PAPER = ("top-1", "top-5")  # the labels of figures that the paper has
WORDS = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum"}  # what LaTeX calls them
WORDS |= {"<": "less", ">": "greater", "|": "bar"}
ESCAPED = str.maketrans(
    {each: rf"\{each}" for each in "%&_#${}"} | {each: rf"\text{WORDS[each]}{{}}" for each in WORDS}
)
DETAILS = ("ours", "low", "high", "n", "seeds", "deviation", "commit", "deviates")


@dataclass(frozen=True)
class Column:
    """Hold a column's heading, and its figures: label -> as verdicts name it."""

    heading: str
    figures: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """Hold a row of a table.

    Args:
        name: of the method.
        paper: what the paper reports.
        asked: the columns that it is to have.
        found: figures of ours by column, then label. A column that is asked for and not there is
            missing yet; a figure that is None cannot be had.
        commit: of the code that made them.
        deviates: in what ours differs from the paper's.
    """

    name: str
    paper: Quoted
    asked: Sequence[str] = ()
    found: Mapping[str, Mapping[str, Averaged | None]] = field(default_factory=dict)
    commit: str = ""
    deviates: str = ""


@dataclass(frozen=True)
class Sheet:
    """Hold a table: its title, its columns by key, its lines, and notes under it in Markdown."""

    title: str
    columns: Mapping[str, Column]
    lines: Sequence[Line]
    notes: Sequence[str] = ()

    @property
    def cells(self) -> list[tuple[str, str]]:
        """List the column and the label of each figure that some line is to have."""
        asked = {column for line in self.lines for column in line.asked}
        return [
            (key, label)
            for key, column in self.columns.items()
            for label in column.figures
            if key in asked
        ]


def markdown(sheet: Sheet) -> str:
    """Lay a table out in Markdown."""
    header = _header(sheet)
    rows = [header, ["---"] * len(header), *_rows(sheet)]
    table = "\n".join(f"| {' | '.join(map(text, row))} |" for row in rows)
    return "\n\n".join([f"**{sheet.title}**", table, *sheet.notes]) + "\n"


def latex(sheet: Sheet) -> str:
    """Lay a table out in LaTeX, for the package booktabs."""
    header = _header(sheet)
    rows = [_latex_row(header), r"\midrule", *map(_latex_row, _rows(sheet))]
    said = " ".join([f"{sheet.title}.", *map(unmarked, sheet.notes)])
    caption = plain(said).translate(ESCAPED)
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
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
    """Lay a table out as CSV: a row for each figure, with all that is known of it."""
    written = io.StringIO()
    write_rows(written, _figure_rows(sheet), end="\n")
    return written.getvalue()


def _figure_rows(sheet: Sheet) -> Iterator[tuple[str, ...]]:
    yield ("method", "column", "figure", "paper", *DETAILS)
    for line in sheet.lines:
        for label, value in zip(PAPER, line.paper, strict=True):
            if not line.asked and value is not None:
                yield (line.name, "", label, f"{value:.2f}", *[""] * 7, line.deviates)
        for key, label in sheet.cells:
            if key in line.asked:
                paper = dict(zip(PAPER, line.paper, strict=True)).get(label)
                figures = _figures(line.found.get(key, {}).get(label))
                quoted = "" if paper is None else f"{paper:.2f}"
                yield (line.name, key, label, quoted, *figures, line.commit, line.deviates)


def _figures(found: Averaged | None) -> list[str]:
    if found is None:
        return [""] * 6
    percent = [f"{100 * each:.2f}" for each in (found.value, found.low, found.high)]
    deviation = "" if found.deviation is None else f"{100 * found.deviation:.2f}"
    return [*percent, str(found.n), str(len(found.runs)), deviation]


def _header(sheet: Sheet) -> list[str]:
    ours = [f"{sheet.columns[key].heading}, {label}" for key, label in sheet.cells]
    return ["method", *(f"paper, {label}" for label in PAPER), *ours, "n", "commit", "deviates"]


def _rows(sheet: Sheet) -> Iterator[list[str]]:
    for line in sheet.lines:
        paper = ["" if each is None else f"{each:.2f}" for each in line.paper]
        ours = [_cell(line, key, label) for key, label in sheet.cells]
        figures = [each for found in line.found.values() for each in found.values() if each]
        n = ", ".join(f"{each:,}" for each in sorted({each.n for each in figures}))
        yield [line.name, *paper, *ours, n, line.commit, line.deviates]


def _cell(line: Line, key: str, label: str) -> str:
    """Write a figure in percent, with its interval and how far seeds are apart."""
    if key in line.asked and key not in line.found:
        return "?"
    found = line.found.get(key, {}).get(label)
    if found is None:
        return ""
    spread = "" if found.deviation is None else f"; sd {100 * found.deviation:.2f}"
    return f"{100 * found.value:.2f} ({100 * found.low:.2f} to {100 * found.high:.2f}{spread})"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(plain(each).translate(ESCAPED) for each in cells) + r" \\"
