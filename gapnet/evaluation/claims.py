"""What the paper claims of two rows of a table, and whether figures of ours bear it out."""

from dataclasses import dataclass
from typing import Literal

from gapnet.evaluation.seeds import Averaged
from gapnet.system.value_checks import number

Verdict = Literal["held", "did not hold", "undecided"]


@dataclass(frozen=True)
class Claim:
    """Say that an error of one row is lower than, or about the same as, that of another.

    Args:
        says: the claim in words.
        better: the row, and its column, whose error is to be lower.
        worse: the other.
        figure: the error, as verdicts name it, but for the protocol.
        within: if it is set, both errors are to be the same but for so much.
    """

    says: str
    better: tuple[str, str]
    worse: tuple[str, str]
    figure: str
    within: float | None = None

    def __post_init__(self) -> None:
        """Check the margin."""
        number("within", self.within, above=0, below=1, optional=True)


def judge(claim: Claim, found: Averaged) -> tuple[Verdict, str]:
    """Judge a claim by what the worse row's error has above the better one's; say why.

    It is decided where the 95% interval and every single run say so: that the difference lies above
    0, or below; of a claim that two are the same, that it lies within the margin, or beyond it.
    """
    told = f"{100 * found.value:+.2f} points, {100 * found.low:+.2f} to {100 * found.high:+.2f}"
    low, high = min(found.low, *found.runs), max(found.high, *found.runs)
    if claim.within is None:
        agree = sum(each > 0 for each in found.runs)
        why = f"{told}; {agree} of {len(found.runs)} seeds that way"
        holds, fails = low > 0, high < 0
    else:
        why = f"{told}; to be within {100 * claim.within:.0f}"
        holds = -claim.within <= low and high <= claim.within
        fails = low > claim.within or high < -claim.within
    return ("held" if holds else "did not hold" if fails else "undecided"), why
