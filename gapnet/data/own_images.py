"""Base class of the readers of a user's own images."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Self

from gapnet.data.held_out import check_held_out
from gapnet.data.options import ALL, Reader, Reading
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import true_or_false, wrong_value


@dataclass(frozen=True)
class OwnImages(Reader):
    """Images of a user.

    Args:
        exif: rotate photographs as their EXIF orientation says; boxes then refer to the rotated
            image.
        held_out: share (below 1) or number of the training images of every class that form the
            `select_split`, if there is none on the disk; 0 holds out none.
        class_ids: ids of all classes, in the order of their labels; by default those of the
            training split, or of the test split if there is no training split.
    """

    _: KW_ONLY
    exif: bool = False
    held_out: float = 0.1
    class_ids: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        true_or_false("data.exif", self.exif)
        check_held_out(self.held_out)
        _check_ids(self.class_ids)
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; name that of the data set")

    @property
    def reading(self) -> Reading:
        """Return how the image files are read."""
        return replace(super().reading, exif=self.exif)

    @property
    def title(self) -> str:
        """Return the name of the folder."""
        return self.root.resolve().name

    def with_classes(self, class_ids: Sequence[str]) -> Self:
        """Return the same data set with the classes of a network."""
        return replace(self, class_ids=tuple(class_ids))

    def _undivided(self, split: str) -> MissingSplitError:
        """Return the error for a split of a data set that has none."""
        return MissingSplitError(
            f"split {split!r}: {self.root} is not divided into splits, so it can be evaluated "
            f"only; to train on it, set data.train_split={ALL} data.test_split={self.select_split}"
        )


def _check_ids(ids: Sequence[str] | None) -> None:
    wrong = isinstance(ids, str) or (ids is not None and len({*map(str, ids)}) < max(1, len(ids)))
    if wrong:
        raise wrong_value("data.class_ids", ids, "must be a list of different ids, or null")
