"""Claims of the paper about two rows of a table, and whether our results confirm them."""

from dataclasses import dataclass
from typing import Literal

from gapnet.evaluation.seeds import SeedMean
from gapnet.runs.metric_choice import MetricChoice
from gapnet.system.value_checks import number

Judgement = Literal["held", "did not hold", "undecided"]


@dataclass(frozen=True)
class Claim:
    """A claim that one row is better than another, or about the same.

    Args:
        says: the claim in words.
        better: the row that should be better, and its column.
        worse: the other row, and its column.
        metric: that is compared.
        worse_metric: of the other row; None is the same metric.
        within: largest difference of rows that should be the same; None: one should be better.
        higher_is_better: for an accuracy; for an error the lower one is better.
    """

    says: str
    better: tuple[str, str]
    worse: tuple[str, str]
    metric: MetricChoice
    worse_metric: MetricChoice | None = None
    within: float | None = None
    higher_is_better: bool = False

    def __post_init__(self) -> None:
        """Check the margin."""
        number("within", self.within, above=0, below=1, optional=True)


def judge(claim: Claim, lead: SeedMean) -> tuple[Judgement, str]:
    """Judge a claim by the lead of the better row; return the judgement and the reason.

    A claim is decided only if the 95% interval over images and every seed agree: the lead is above
    0, or below; for a claim that two rows are the same, it is within the margin, or beyond it.
    Without an interval a claim stays undecided.
    """
    points = f"{100 * lead.value:+.2f} points, {_interval(lead)}"
    if claim.within is None:
        agree = sum(run > 0 for run in lead.runs)
        why = f"{points}; {agree} of {len(lead.runs)} seeds that way"
    else:
        why = f"{points}; to be within {100 * claim.within:.0f}"
    return _judgement(claim.within, lead), why


def _interval(lead: SeedMean) -> str:
    if lead.low is None or lead.high is None:
        return "no interval over images"
    return f"{100 * lead.low:+.2f} to {100 * lead.high:+.2f}"


def _judgement(within: float | None, lead: SeedMean) -> Judgement:
    if lead.low is None or lead.high is None:
        return "undecided"
    low, high = min(lead.low, *lead.runs), max(lead.high, *lead.runs)
    if within is None:
        holds, fails = low > 0, high < 0
    else:
        holds, fails = -within <= low and high <= within, low > within or high < -within
    return "held" if holds else "did not hold" if fails else "undecided"
