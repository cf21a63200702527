"""The classes of a data set, looked up by id."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gapnet.errors import GapnetError


@dataclass(frozen=True)
class ClassList:
    """Classes in the order of their index, and the path of what lists them."""

    ids: list[str]
    place: str

    @cached_property
    def index(self) -> dict[str, int]:
        """Map class ids to indices."""
        return {class_id: label for label, class_id in enumerate(self.ids)}

    def label(self, class_id: str, place: str | Path) -> int:
        """Return the index of a class that `place` names."""
        label = self.index.get(class_id)
        if label is None:
            raise GapnetError(
                f"{place}: class {class_id!r} is not among the {len(self.ids)} of {self.place}; "
                "correct the one that is wrong"
            )
        return label
