"""report.html, which contains everything that it shows."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from PIL import Image

from gapnet.evaluation.score import Metric
from gapnet.report.pictures import Picture
from gapnet.report.tables import HEADER, table_row
from gapnet.system.files import write_file
from gapnet.text.plain_text import plain


@dataclass(frozen=True)
class Report:
    """Content of the page.

    Args:
        title: of the page.
        facts: what was evaluated, name -> text.
        metrics: of the table.
        classes: a header and rows of the easiest and the hardest classes; may be empty.
        plots: caption -> SVG.
        pictures: of the gallery.
        class_names: by index.
        config: the run's configuration, as YAML.
    """

    title: str
    facts: Mapping[str, str]
    metrics: Sequence[Metric]
    classes: Sequence[Sequence[str]]
    plots: Mapping[str, str]
    pictures: Sequence[Picture]
    class_names: Sequence[str]
    config: str


def write_report(report: Report, path: Path) -> None:
    """Write the page to a file."""
    page = (
        environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            header=("protocol", *HEADER),
            rows=[(metric.protocol, *table_row(metric)) for metric in report.metrics],
            data_uri=data_uri,
        )
    )
    write_file(path, page)


def environment() -> Environment:
    """Return the environment of the templates of pages."""
    return Environment(
        loader=PackageLoader("gapnet.report"), autoescape=True, trim_blocks=True, finalize=_plain
    )


def _plain(value: object) -> object:
    """Return a value without control characters; markup, such as SVG, is not changed."""
    return value if isinstance(value, Markup) else plain(value)


def data_uri(image: Image.Image) -> str:
    """Return an image as the address of a JPEG inside the page."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
