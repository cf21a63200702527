"""The rules of an evaluation, and how jobs get their data set."""

from collections.abc import Callable
from dataclasses import dataclass

from gapnet.data.sample import Source
from gapnet.evaluation.protocols import Protocol
from gapnet.localization.localizer import Localizer

MakeSource = Callable[[], Source]


@dataclass(frozen=True)
class Rules:
    """How boxes are predicted, and the protocols that judge them; the first is the main one."""

    localizer: Localizer
    protocols: tuple[Protocol, ...]
