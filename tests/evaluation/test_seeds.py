"""Metrics of several runs, against plain numpy."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import intervals, nested_interval
from gapnet.evaluation.seeds import (
    SeedMean,
    average,
    average_values,
    difference,
    difference_of_values,
)
from gapnet.runs.metric_choice import MetricChoice
from tests.refusals import refused

IMAGES = 40
MORE = {"resamples": 50, "seed": 3}
ABOUT = {"data": "drawn", "split": "val", "truth": "0123"}
NAME = "top1_error"
METRIC = MetricChoice(NAME)
TOP5 = MetricChoice("top5_error")


def drawn(seed: int) -> list[float | None]:
    return np.random.default_rng(seed).integers(0, 2, IMAGES).astype(float).tolist()


def written(
    path: Path,
    values: list[float | None],
    *,
    column: str = f"ilsvrc/{NAME}",
    ids: list[str] | None = None,
    about: dict[str, str] = ABOUT,
) -> Path:
    ids = ids or [f"i{row}" for row in range(len(values))]
    columns = {"id": ids, "label": [0] * len(ids), column: pa.array(values, pa.float64())}
    pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
    return path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [written(tmp_path / f"{seed}.parquet", drawn(seed)) for seed in range(3)]


VALUES = np.array([drawn(seed) for seed in range(3)])


def averaged(runs: list[Path], metric: MetricChoice = METRIC) -> SeedMean:
    found = average(runs, metric, **MORE)
    assert found is not None
    return found


def apart(better: list[Path], worse: list[Path]) -> SeedMean:
    found = difference(better, worse, METRIC, **MORE)
    assert found is not None
    return found


def test_a_difference_may_be_of_two_metrics_of_the_same_runs(tmp_path: Path) -> None:
    class_maps = [written(tmp_path / f"{seed}.parquet", drawn(seed)) for seed in range(2)]
    box = written(tmp_path / "box.parquet", drawn(2), column="ilsvrc/box_error/oracle")
    metric = MetricChoice("box_error", chosen_on="oracle")
    lead = difference(class_maps, [box], METRIC, worse_metric=metric, **MORE)
    assert lead is not None
    assert lead.runs == pytest.approx((VALUES[2] - VALUES[:2]).mean(1))
    assert difference(class_maps, [box], METRIC, **MORE) is None


def test_the_average_is_the_mean_over_runs_and_images(three: list[Path]) -> None:
    found = averaged(three)
    assert found.value == pytest.approx(VALUES.mean(), abs=1e-12)
    assert found.n == IMAGES


def test_each_run_has_a_figure_of_its_own(three: list[Path]) -> None:
    assert averaged(three).runs == pytest.approx(VALUES.mean(1).tolist(), abs=1e-12)


def test_runs_are_apart_by_their_sample_standard_deviation(three: list[Path]) -> None:
    means = VALUES.mean(1)
    by_hand = np.sqrt(((means - means.mean()) ** 2).sum() / 2)
    assert averaged(three).deviation == pytest.approx(by_hand, abs=1e-12)


def test_one_run_has_no_standard_deviation(three: list[Path]) -> None:
    assert averaged(three[:1]).deviation is None


def test_the_interval_is_the_bootstrap_s_of_the_mean_over_runs(three: list[Path]) -> None:
    low, high = intervals(torch.from_numpy(VALUES.mean(0))[:, None], **MORE)
    found = averaged(three)
    assert (found.low, found.high) == (low.item(), high.item())
    assert found.low < found.value < found.high


def test_an_image_that_is_left_out_of_one_run_is_left_out_of_all(
    three: list[Path], tmp_path: Path
) -> None:
    lacking = written(tmp_path / "lacking.parquet", [None, None, *drawn(1)[2:]])
    found = averaged([three[0], lacking, three[2]])
    assert found.n == IMAGES - 2
    assert found.value == pytest.approx(VALUES[:, 2:].mean(), abs=1e-12)
    assert found.runs == pytest.approx(VALUES[:, 2:].mean(1).tolist(), abs=1e-12)


def test_rows_may_be_in_another_order(three: list[Path], tmp_path: Path) -> None:
    ids = [f"i{row}" for row in reversed(range(IMAGES))]
    turned = written(tmp_path / "turned.parquet", drawn(1)[::-1], ids=ids)
    assert averaged([three[0], turned, three[2]]) == averaged(three)


def test_a_figure_that_a_run_lacks_is_none(three: list[Path], tmp_path: Path) -> None:
    assert average(three, TOP5, **MORE) is None
    other = written(tmp_path / "other.parquet", drawn(1), column="ilsvrc/top5_error")
    assert average([*three, other], METRIC, **MORE) is None


def test_no_runs_have_no_figure() -> None:
    assert average([], METRIC, **MORE) is None


def test_a_metric_is_told_apart_by_who_chose_its_threshold(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", drawn(0), column="wsol/gt_known_error/val")
    on_val = MetricChoice("gt_known_error", chosen_on="val")
    assert averaged([path], on_val).value == pytest.approx(VALUES[0].mean(), abs=1e-12)
    assert average([path], MetricChoice("gt_known_error"), **MORE) is None


def test_of_several_protocols_the_first_one_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", drawn(0))
    table = pq.read_table(path)
    other = table.append_column(f"wsol/{NAME}", pa.array([1.0] * IMAGES))
    pq.write_table(other.replace_schema_metadata(ABOUT), path)
    assert averaged([path]).value == pytest.approx(VALUES[0].mean(), abs=1e-12)
    assert averaged([path], MetricChoice(NAME, protocol="wsol")).value == 1


@pytest.mark.parametrize(("split", "there"), [("val", True), ("test", False)])
def test_a_metric_of_another_split_is_not_there(
    three: list[Path], split: str, *, there: bool
) -> None:
    assert (average(three, MetricChoice(NAME, split=split), **MORE) is not None) == there


@pytest.mark.parametrize("key", ABOUT)
def test_runs_of_another_truth_are_refused(three: list[Path], tmp_path: Path, key: str) -> None:
    other = written(tmp_path / "other.parquet", drawn(5), about={**ABOUT, key: "another"})
    with pytest.raises(GapnetError, match=r"0\.parquet and .*other\.parquet: "):
        average([*three, other], METRIC, **MORE)
    with pytest.raises(GapnetError, match=r"0\.parquet and .*other\.parquet: "):
        difference(three[:1], [other], METRIC, **MORE)


def test_runs_of_other_images_are_refused(three: list[Path], tmp_path: Path) -> None:
    other = written(tmp_path / "other.parquet", drawn(1)[1:])
    with refused("other.parquet", 40, 39):
        average([*three, other], METRIC, **MORE)


def test_a_difference_is_what_the_second_runs_have_above_the_first(
    three: list[Path], tmp_path: Path
) -> None:
    worse = [written(tmp_path / f"worse{seed}.parquet", drawn(seed + 7)) for seed in range(3)]
    above = np.array([drawn(seed + 7) for seed in range(3)]) - VALUES
    found = apart(three, worse)
    assert found.value == pytest.approx(above.mean(), abs=1e-12)
    assert found.runs == pytest.approx(above.mean(1).tolist(), abs=1e-12)
    assert found.low < found.value < found.high


def test_a_difference_of_four_images_by_hand(tmp_path: Path) -> None:
    better = written(tmp_path / "better.parquet", [0, 0, 1, None])
    worse = written(tmp_path / "worse.parquet", [1, 0, 1, 1])
    found = apart([better], [worse])
    assert (found.value, found.n, found.runs) == (pytest.approx(1 / 3), 3, (pytest.approx(1 / 3),))


def test_a_run_is_no_different_from_itself(three: list[Path]) -> None:
    found = apart(three, three)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_single_run_is_held_against_each_of_the_others(three: list[Path]) -> None:
    assert apart(three[:1], three).runs == pytest.approx((VALUES - VALUES[0]).mean(1).tolist())
    assert apart(three, three[:1]).runs == pytest.approx((VALUES[0] - VALUES).mean(1).tolist())


def test_two_runs_and_three_cannot_be_paired(three: list[Path]) -> None:
    with pytest.raises(GapnetError, match="3 and 2 runs: "):
        apart(three, three[:2])


def test_runs_that_agree_leave_the_interval_of_images() -> None:
    values = torch.from_numpy(VALUES[:1].T)
    low, high = nested_interval(values.repeat(1, 3), **MORE)
    expected = intervals(values, **MORE)
    assert (low, high) == pytest.approx([each.item() for each in expected])


def test_runs_that_differ_widen_the_interval_as_far_as_they_go() -> None:
    values = torch.tensor([[0.0, 0.3, 0.6]]).repeat(50, 1)  # images do not matter
    low, high = nested_interval(values, resamples=2000, seed=0)
    assert (low, high) == (pytest.approx(0), pytest.approx(0.6))  # each thrice: 1 in 27 draws


def test_images_in_another_order_are_the_same_difference(three: list[Path], tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(IMAGES)
    ids = [f"i{row}" for row in order]
    shuffled = written(tmp_path / "shuffled.parquet", VALUES[1][order].tolist(), ids=ids)
    assert apart([three[0]], [shuffled]) == apart([three[0]], [three[1]])


def test_a_difference_of_a_figure_that_one_lacks_is_none(three: list[Path], tmp_path: Path) -> None:
    other = written(tmp_path / "other.parquet", drawn(1), column="ilsvrc/top5_error")
    assert difference(three[:1], [other], METRIC, **MORE) is None
    assert difference(three, [], METRIC, **MORE) is None


def test_values_alone_have_no_interval() -> None:
    mean = average_values([0.2, 0.6], 10)
    assert (mean.value, mean.low, mean.high, mean.n) == (pytest.approx(0.4), None, None, 10)
    assert mean.deviation == pytest.approx(np.std([0.2, 0.6], ddof=1))


def test_a_difference_of_values_is_run_by_run_and_has_no_interval() -> None:
    lead = difference_of_values(average_values([0.25, 0.5], 8), average_values([0.5, 1.0], 8))
    assert (lead.value, lead.low, lead.high, lead.n) == (0.375, None, None, 8)
    assert lead.runs == (0.25, 0.5)
    with pytest.raises(GapnetError, match="3 and 2 runs: "):
        difference_of_values(average_values([1, 2, 3]), average_values([1, 2]))
