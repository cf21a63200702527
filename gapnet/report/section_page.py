"""A page of sections with text, a table and pictures; it contains everything that it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from gapnet.report.page import data_uri, environment
from gapnet.system.files import write_file


class Captioned(NamedTuple):
    """A picture with a caption; the colour of its edge says whether it is right."""

    image: Image.Image
    caption: str
    right: bool = True


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        heading: above it.
        text: a paragraph; may be empty.
        rows: a header and the rows of a table; may be empty.
        pictures: may be empty.
    """

    heading: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    pictures: Sequence[Captioned] = ()


def write_sections(
    title: str, facts: Mapping[str, str], sections: Sequence[Section], path: Path
) -> None:
    """Write the page to a file."""
    template = environment().get_template("sections.html.jinja")
    write_file(
        path, template.render(title=title, facts=facts, sections=sections, data_uri=data_uri)
    )
