"""report.html, which contains everything that it shows."""

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from gapnet.evaluation.confusions import ConfusedPair
from gapnet.evaluation.score import Metric
from gapnet.report.gallery_data import Gallery
from gapnet.report.page_numbers import VERDICTS, bars, shares
from gapnet.report.tables import HEADER, table_row
from gapnet.system.files import write_file
from gapnet.text.plain_text import plain

SCRIPTS = (  # in the order in which they are put together: a file uses those before it
    "maps",
    "boxes",
    "verdicts",
    "colours",
    "views",
    "choice",
    "cards",
    "enlarge",
    "controls",
    "tables",
    "start",
)


@dataclass(frozen=True)
class Report:
    """Content of the page.

    Args:
        title: of the page.
        subject: data, network and other facts of the first lines, name -> text.
        facts: how it was evaluated in full, name -> text.
        metrics: of all protocols, those of the main protocol first.
        classes: a header and a row per class, name and numbers; may be empty.
        threshold: chart of the error by threshold; None if no threshold can be chosen.
        curves: caption -> chart of the training.
        gallery: images with their maps; None without images.
        confused: pairs of classes, with the ids of the images.
        class_names: by index.
        files: of the run, path in its folder -> what it holds.
        config: the run's configuration, as YAML.
    """

    title: str
    subject: Mapping[str, str]
    metrics: Sequence[Metric]
    class_names: Sequence[str]
    config: str
    facts: Mapping[str, str]
    classes: Sequence[Sequence[str]] = ()
    threshold: str | None = None
    curves: Mapping[str, str] | None = None
    gallery: Gallery | None = None
    confused: Sequence[tuple[ConfusedPair, Sequence[str]]] = ()
    files: Mapping[str, str] | None = None


def write_report(report: Report, path: Path) -> None:
    """Write the page to a file."""
    main = [metric for metric in report.metrics if metric.protocol == report.metrics[0].protocol]
    write_template(
        "report.html.jinja",
        path,
        report=report,
        bars=bars(main),
        shares=shares(main),
        verdicts=VERDICTS,
        header=("protocol", *HEADER),
        rows=[(metric.protocol, *table_row(metric)) for metric in report.metrics],
        gallery=None if report.gallery is None else report.gallery.json(),
    )


def write_template(name: str, path: Path, **values: object) -> None:
    """Write a page of a template that extends page/frame.html.jinja to a file."""
    script = _script()
    frame = {"style": _source("page.css"), "script": script, "script_digest": _digest(script)}
    write_file(path, environment().get_template(name).render(**values, **frame))


def environment() -> Environment:
    """Return the environment of the templates of pages."""
    return Environment(
        loader=PackageLoader("gapnet.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
        undefined=StrictUndefined,
    )


def data_uri(image: Image.Image) -> str:
    """Return an image as the address of a JPEG inside the page."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _script() -> Markup:
    """Return the page's scripts as one, whose names are its own."""
    parts = [_source(f"{name}.js") for name in SCRIPTS]
    return Markup('(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n")


def _source(name: str) -> Markup:
    return Markup(files("gapnet.report").joinpath("scripts", name).read_text(encoding="utf-8"))


def _digest(script: Markup) -> str:
    """Return the digest by which the page allows this script, and so no other one."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _plain(value: object) -> object:
    """Return a value without control characters; markup, such as SVG, is not changed."""
    return value if isinstance(value, Markup) else plain(value)
