import pytest

from gapnet.errors import GapnetError
from gapnet.evaluation.claims import Claim, judge
from gapnet.evaluation.seeds import SeedMean, average_values
from gapnet.runs.metric_choice import MetricChoice

PLACES = {"better": ("a", "x"), "worse": ("b", "x"), "metric": MetricChoice("top1_error")}
LOWER = Claim("a errs less", **PLACES)
SAME = Claim("about the same", **PLACES, within=0.05)


def apart(low: float, high: float, *runs: float) -> SeedMean:
    middle = (low + high) / 2
    return SeedMean(middle, low, high, 100, runs or (middle,))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.03, "held"),
        (-0.03, -0.01, "did not hold"),
        (-0.01, 0.03, "undecided"),
        (0.0, 0.03, "undecided"),
        (-0.03, 0.0, "undecided"),
    ],
)
def test_a_claim_holds_where_the_interval_lies_above_0(
    low: float, high: float, verdict: str
) -> None:
    assert judge(LOWER, apart(low, high))[0] == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.02, 0.03, "held"),
        (0.01, 0.03, "held"),
        (-0.05, 0.05, "held"),
        (0.06, 0.08, "did not hold"),
        (-0.08, -0.06, "did not hold"),
        (0.03, 0.08, "undecided"),
        (-0.08, -0.03, "undecided"),
        (-0.08, 0.08, "undecided"),
        (0.05, 0.08, "undecided"),
    ],
)
def test_two_are_the_same_where_the_interval_lies_within_the_margin(
    low: float, high: float, verdict: str
) -> None:
    assert judge(SAME, apart(low, high))[0] == verdict


def test_the_reason_tells_points_and_how_many_seeds_agree() -> None:
    why = judge(LOWER, apart(-0.01, 0.0325, 0.02, -0.01, 0.03))[1]
    assert why == "+1.12 points, -1.00 to +3.25; 2 of 3 seeds that way"


def test_the_reason_tells_the_margin() -> None:
    assert judge(SAME, apart(0.06, 0.08))[1] == "+7.00 points, +6.00 to +8.00; to be within 5"


@pytest.mark.parametrize("within", [0.0, -0.1, 1.0, 5.0, float("nan")])
def test_a_margin_that_is_no_difference_of_errors_is_refused(within: float) -> None:
    with pytest.raises(GapnetError, match=f"within={within}: "):
        Claim("about the same", **PLACES, within=within)


@pytest.mark.parametrize("claim", [LOWER, SAME], ids=["lower", "same"])
def test_a_claim_without_an_interval_stays_undecided(claim: Claim) -> None:
    judgement, why = judge(claim, average_values([0.01, 0.02]))
    assert judgement == "undecided"
    assert why.startswith("+1.50 points, no interval over images; ")


def test_a_claim_is_undecided_if_one_seed_disagrees() -> None:
    assert judge(LOWER, apart(0.01, 0.03, 0.04, -0.01))[0] == "undecided"
