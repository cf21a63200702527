"""report.html of a dissection: layers side by side, and every unit with its label and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from gapnet.dissection.scores import LabelledUnit, Summary
from gapnet.report.unit_pictures import picture_name
from gapnet.runs.layout import UNIT_PICTURES
from gapnet.system.files import write_file
from gapnet.text.plain_text import plain


@dataclass(frozen=True)
class DissectedLayer:
    """A set of units with their labels; `table` is the name of its file."""

    name: str
    units: Sequence[LabelledUnit]
    summary: Summary
    table: str


class UnitRow(NamedTuple):
    """Row of a unit: its number from 0, label, category, IoU and picture."""

    unit: int
    label: str
    category: str
    iou: float
    picture: str


@dataclass(frozen=True)
class DissectionPage:
    """Content of the page.

    Args:
        title: of the page.
        layers: sets of units, side by side.
        categories: of concepts.
        min_iou: that a detector exceeds.
        pictures: number of top images of every unit; 0: there are none.
    """

    title: str
    layers: Sequence[DissectedLayer]
    categories: Sequence[str]
    min_iou: float
    pictures: int

    @property
    def most(self) -> int:
        """Return the largest number of different concepts of a layer, for the bars."""
        return max(1, *(layer.summary.unique for layer in self.layers))

    def rows(self, layer: DissectedLayer) -> list[UnitRow]:
        """Return the rows of a layer's units, best first; those of rotations have no pictures."""
        ranked = sorted(layer.units, key=lambda unit: (-unit.best.iou, unit.unit))
        shown = self.pictures > 0 and "~" not in layer.name
        return [
            UnitRow(
                unit.unit,
                unit.best.label,
                unit.best.category,
                unit.best.iou,
                f"{UNIT_PICTURES}/{quote(picture_name(layer.name, unit.unit))}" if shown else "",
            )
            for unit in ranked
        ]


def write_dissection_page(page: DissectionPage, path: Path) -> None:
    """Write the page to a file; pictures are in files beside it."""
    environment = Environment(
        loader=PackageLoader("gapnet.report"), autoescape=True, trim_blocks=True, finalize=plain
    )
    text = environment.get_template("dissection.html.jinja").render(page=page)
    write_file(path, text)
