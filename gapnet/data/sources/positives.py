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
from gapnet.system.value_checks import wrong_value


@dataclass(frozen=True)
class Positives(ConceptReader):
    """A folder of images that have a concept, and one of images that do not.

    Args:
        root: the folder of images that have it.
        negatives: the folder of others; must be named.
        name: of the concept; None is the name of the folder.
    """

    _: KW_ONLY
    negatives: Path | None = None
    name: str | None = None

    kind: ClassVar[str] = "positives"

    def __post_init__(self) -> None:
        """Check the values, and list the images."""
        self.set_fields(root=Path(self.root))
        if self.negatives is None or not self._negatives.is_dir():
            rule = "must be a folder of images without the concept"
            raise wrong_value("data.negatives", self.negatives, rule)
        if self.name == OTHER:
            raise GapnetError(f"data.name={OTHER}: is the name of the negatives; choose another")
        if self._negatives.resolve() == self.root.resolve():
            raise GapnetError(
                f"data.negatives={self.negatives}: is the folder of the positives; name another"
            )
        super().__post_init__()

    @property
    def concept(self) -> str:
        """Return the name of the concept."""
        name = self.name or self.title
        return "positive" if name == OTHER else name

    @property
    def _negatives(self) -> Path:
        return Path(self.negatives or "")

    def listed(self) -> Sequence[ConceptImage]:
        """List the images of both folders; those of negatives inside the root are no positives."""
        images = []
        for folder, positive in ((self.root, True), (self._negatives, False)):
            other = self._negatives if positive else self.root
            for path in _images_under(folder, leaving_out=other):
                identity = f"{'+' if positive else '-'}/{path.relative_to(folder).as_posix()}"
                images.append(ConceptImage(identity, path, positive))
        return images

    def too_few(self, kind: str, count: int) -> GapnetError:
        """Return the error for a folder with too few images."""
        key, folder = ("root", self.root) if kind == "positive" else ("negatives", self._negatives)
        return GapnetError(
            f"data.{key}={folder}: has {count} images; at least {FEWEST} are needed; add images"
        )


def _images_under(folder: Path, *, leaving_out: Path) -> Iterator[Path]:
    folders, images = folders_and_images(folder)
    yield from images
    for inner in folders:
        if inner.resolve() != leaving_out.resolve():
            yield from _images_under(inner, leaving_out=leaving_out)
