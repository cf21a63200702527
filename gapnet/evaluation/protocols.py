"""Protocols: the rules by which predictions are scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.box_frames import FRAMES, FileFrame, Frame
from gapnet.localization.guesses import MOST
from gapnet.system.value_checks import number, one_of, whole_number, wrong_value

Boxes = Literal["all", "first"]


@dataclass(frozen=True)
class Protocol:
    """Rules by which predictions are scored; the defaults are those of ILSVRC's devkit.

    Args:
        name: shown with every metric.
        iou: the overlap at which a box is right.
        above: whether the overlap of a guess must be above `iou`, rather than at least `iou`.
        above_known: the same for the box of the true class.
        inclusive: whether a box's last pixel belongs to it when areas are computed.
        frame: where overlaps are computed: file, or the frame of a published evaluation.
        truth: whether all true boxes of an image count, or only the first.
        blacklist: whether images that the devkit blacklists are left out of localization.
        within: numbers of guesses that count, with one metric per number.
        known_ious: overlaps of MaxBoxAccV2; without them it is not computed.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    name: str = "ilsvrc"
    iou: float = 0.5
    above: bool = False
    above_known: bool = False
    inclusive: bool = True
    frame: str = "file"
    truth: Boxes = "all"
    blacklist: bool = True
    within: Sequence[int] = (1, 2, 3, 4, 5)
    known_ious: Sequence[float] = ()
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.name or "/" in self.name:
            raise GapnetError(f"protocol.name={self.name!r}: must be a name without a slash")
        number("protocol.iou", self.iou, above=0, most=1)
        for iou in self.known_ious:
            number("protocol.known_ious", iou, above=0, most=1)
        whole_number("protocol.resamples", self.resamples, least=1)
        one_of("protocol.frame", self.frame, FRAMES)
        one_of("protocol.truth", self.truth, get_args(Boxes))
        within = list(self.within)
        if not within or within != [k for k in range(1, MOST + 1) if k in within]:
            raise wrong_value("protocol.within", within, f"must be ascending integers, 1 to {MOST}")

    def frame_of(self) -> FileFrame | Frame:
        """Return the frame of the protocol."""
        return FRAMES[self.frame]

    def right(self, overlaps: Tensor) -> Tensor:
        """Return whether the boxes of guesses are right, from their overlaps."""
        return overlaps > self.iou if self.above else overlaps >= self.iou

    def right_known(self, overlaps: Tensor) -> Tensor:
        """Return whether boxes of the true class are right, from their overlaps."""
        return overlaps > self.iou if self.above_known else overlaps >= self.iou


def together(protocols: Mapping[str, Protocol]) -> tuple[Protocol, ...]:
    """Return several protocols to score by; the first one is the main one."""
    names = [protocol.name for protocol in protocols.values()]
    if not names or len(set(names)) < len(names):
        raise GapnetError(
            f"protocol.protocols={names}: must have at least one name, and no name twice"
        )
    return tuple(protocols.values())
