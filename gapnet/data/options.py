"""Options that the readers of data sets share."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal, get_args

from gapnet.data.image_files import DISK, Files
from gapnet.system.value_checks import one_of, true_or_false, whole_number

OnCorrupt = Literal["raise", "skip"]
ALL = "all"  # the split of a data set that is not divided into splits


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Names of the three splits that a job uses.

    Args:
        train_split: the network is trained on it.
        select_split: chooses checkpoints and thresholds.
        test_split: its results are reported.
    """

    train_split: str = "train"
    select_split: str = "val"
    test_split: str = "test"


@dataclass(frozen=True, kw_only=True)
class CorruptFiles:
    """What happens to image files that cannot be read.

    Args:
        on_corrupt: "raise" stops with an error. With "skip", training continues with another image
            in place of the unreadable one, and an evaluation counts it as wrong.
        max_corrupt: training stops with an error after skipping more different files than this.
    """

    on_corrupt: OnCorrupt = "raise"
    max_corrupt: int = 100

    def __post_init__(self) -> None:
        """Check the values."""
        one_of("data.on_corrupt", self.on_corrupt, get_args(OnCorrupt))
        whole_number("data.max_corrupt", self.max_corrupt)


@dataclass(frozen=True, kw_only=True)
class Reading(CorruptFiles):
    """How image files are read.

    Args:
        exif: rotate photographs as their EXIF orientation says. Boxes of ILSVRC refer to the pixels
            as stored.
        files: where the bytes of the images are.
    """

    exif: bool = False
    files: Files = DISK

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        true_or_false("data.exif", self.exif)


@dataclass(frozen=True)
class Reader(Splits, CorruptFiles):
    """Base class of the readers of data sets on disk.

    Args:
        root: the folder of the data set.
    """

    root: Path
    _: KW_ONLY

    def __post_init__(self) -> None:
        """Check the values; the root may be a string."""
        super().__post_init__()
        self.set_fields(root=Path(self.root))

    def set_fields(self, **values: object) -> None:
        """Set fields of the frozen reader, while it is being made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def reading(self) -> Reading:
        """Return how the image files are read."""
        return Reading(on_corrupt=self.on_corrupt, max_corrupt=self.max_corrupt)

    @property
    def published_counts(self) -> Mapping[str, int]:
        """Return the number of images per split of a public data set; empty if not known."""
        return {}
