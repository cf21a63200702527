"""report.html of class-specific units: weights, top images, and the effect of removing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from gapnet.dissection.class_units import Accuracy
from gapnet.report.unit_pictures import picture_name
from gapnet.runs.layout import UNIT_PICTURES
from gapnet.system.files import write_file
from gapnet.text.plain_text import plain


class ClassRow(NamedTuple):
    """A class, its units with their weights, and the accuracy with and without them."""

    name: str
    units: list[int]
    weights: list[float]
    accuracy: Accuracy

    def described(self) -> dict[str, Any]:
        """Return the values for JSON; a class without images has no accuracy."""
        numbers = self.accuracy._asdict().items()
        accuracy = {key: value if value == value else None for key, value in numbers}  # noqa: PLR0124  (NaN)
        return self._asdict() | {"accuracy": accuracy}


@dataclass(frozen=True)
class UnitsPage:
    """Content of the page; `layer` names the folder of pictures, of which a unit has `pictures`."""

    title: str
    rows: Sequence[ClassRow]
    layer: str
    pictures: int

    def picture(self, unit: int) -> str:
        """Return the link to the pictures of a unit."""
        return f"{UNIT_PICTURES}/{quote(picture_name(self.layer, unit))}"


def write_units_page(page: UnitsPage, path: Path) -> None:
    """Write the page to a file; pictures are in files beside it."""
    environment = Environment(
        loader=PackageLoader("gapnet.report"), autoescape=True, trim_blocks=True, finalize=plain
    )
    write_file(path, environment.get_template("units.html.jinja").render(page=page))
