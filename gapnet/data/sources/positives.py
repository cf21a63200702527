"""Images of two folders: those that have a concept, and others (figure 11).

ROOT/...         images that have the concept, in folders of any depth
NEGATIVES/...    images that do not have it
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import ClassVar

from gapnet.data.concept_reader import FEWEST, OTHER, ConceptImage, ConceptReader
from gapnet.data.image_folder import folders_and_images
from gapnet.errors import GapnetError


@dataclass(frozen=True)
class Positives(ConceptReader):
    """A folder of images that have a concept, and one of images that do not.

    Args:
        root: the folder of images that have it.
        negatives: the folder of others.
        name: of the concept; None is the name of the folder.
    """

    _: KW_ONLY
    negatives: Path
    name: str | None = None

    kind: ClassVar[str] = "positives"

    def __post_init__(self) -> None:
        """Check the values, and list the images."""
        self.set_fields(negatives=Path(self.negatives), root=Path(self.root))
        if not self.negatives.is_dir():
            raise GapnetError(f"data.negatives={self.negatives}: no such folder")
        if self.name == OTHER:
            raise GapnetError(f"data.name={OTHER}: is the name of the negatives; choose another")
        if self.negatives.resolve() == self.root.resolve():
            raise GapnetError(
                f"data.negatives={self.negatives}: is also the folder of the positives; name another"
            )
        super().__post_init__()

    @property
    def concept(self) -> str:
        """Return the name of the concept."""
        name = self.name or self.title
        return "positive" if name == OTHER else name

    def listed(self) -> Sequence[ConceptImage]:
        """List the images of both folders; those of negatives inside the root are no positives."""
        images = []
        for folder, positive in ((self.root, True), (self.negatives, False)):
            other = self.negatives if positive else self.root
            for path in _images_under(folder, leaving_out=other):
                identity = f"{'+' if positive else '-'}/{path.relative_to(folder).as_posix()}"
                images.append(ConceptImage(identity, path, positive))
        return images

    def too_few(self, kind: str, count: int) -> GapnetError:
        """Return the error for a folder with too few images."""
        key, folder = (
            ("root", self.root) if kind == "positive" else ("negatives", self.negatives)
        )
        return GapnetError(
            f"data.{key}={folder}: has {count} images; at least {FEWEST} are needed"
        )


def _images_under(folder: Path, *, leaving_out: Path) -> Iterator[Path]:
    folders, images = folders_and_images(folder)
    yield from images
    for inner in folders:
        if inner.resolve() != leaving_out.resolve():
            yield from _images_under(inner, leaving_out=leaving_out)
