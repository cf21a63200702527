"""Pages that contain all that they show: nearest neighbours, and a map of a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from gapnet.retrieval.embedding import Positions
from gapnet.system.files import write_file
from gapnet.text.plain_text import plain

DIGITS = 4  # of positions


@dataclass(frozen=True)
class Shown:
    """A picture on a page.

    Args:
        id: of the image.
        uri: the picture; None if it cannot be read.
        name: of its class; empty if it is not known.
        similarity: to the query; None for the query.
        same: whether it has the query's class; None if that is not known.
    """

    id: str
    uri: str | None
    name: str = ""
    similarity: float | None = None
    same: bool | None = None


@dataclass(frozen=True)
class NeighboursPage:
    """Content of a page of neighbours: each row is a query and its neighbours."""

    title: str
    facts: Mapping[str, str]
    rows: Sequence[Sequence[Shown]]


@dataclass(frozen=True)
class EmbeddingPage:
    """Content of a map of a data set.

    Args:
        title: of the page.
        facts: what is shown, name -> text.
        images: of the points.
        labels: of the images; -1 is no class.
        class_names: by label.
        positions: by one method or several.
    """

    title: str
    facts: Mapping[str, str]
    images: Sequence[Shown]
    labels: Sequence[int]
    class_names: Sequence[str]
    positions: Sequence[Positions]


def write_neighbours(page: NeighboursPage, path: Path) -> None:
    """Write a page of neighbours."""
    _write("neighbours.html.jinja", path, page=page)


def write_embedding(page: EmbeddingPage, path: Path) -> None:
    """Write a map of a data set."""
    points = {
        "images": [[plain(image.id), image.uri] for image in page.images],
        "labels": list(page.labels),
        "classes": [plain(name) for name in page.class_names],
        "methods": [
            {"name": one.method, "axes": one.axes, "points": _scaled(one)} for one in page.positions
        ],
    }
    _write("embedding.html.jinja", path, page=page, points=points)


def _scaled(positions: Positions) -> list[list[float]]:
    """Return points between 0 and 1 with the same scale on both axes."""
    points = positions.points - positions.points.min(0)
    widest = float(points.max()) or 1.0
    rounded: list[list[float]] = (points / widest).astype(float).round(DIGITS).tolist()
    return rounded


def _write(template: str, path: Path, **values: Any) -> None:
    environment = Environment(
        loader=PackageLoader("gapnet.retrieval"), autoescape=True, trim_blocks=True, finalize=_plain
    )
    write_file(path, environment.get_template(template).render(**values))


def _plain(value: object) -> object:
    """Return a value without control characters; markup, such as JSON, is not changed."""
    return value if isinstance(value, Markup) else plain(value)
