from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from gapnet.data.records import Record
from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.class_errors import class_errors, rank
from gapnet.evaluation.overlaps import known_overlaps
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.rows import unreadable
from gapnet.evaluation.score import Metric, Scoring, score_predictions
from gapnet.evaluation.store import SCHEMA
from gapnet.evaluation.verdicts import CENTRED_SHARES, best_cut
from gapnet.localization.boxers.threshold import ThresholdBoxer
from tests.evaluation.drawn import CUTS, Drawn, draw
from tests.oracles import scoring
from tests.refusals import refused

N = 300
PROTOCOL = Protocol(resamples=200, seed=3, blacklist=False)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw(N, seed=7)


def subject(drawn: Drawn, chosen_on: Drawn | None = None) -> Scoring:
    other = None if chosen_on is None else (chosen_on.predictions, chosen_on.truth, "val")
    return Scoring(drawn.predictions, drawn.truth, "drawn", "test", other)


def metrics_of(drawn: Drawn, chosen_on: Drawn | None = None) -> list[Metric]:
    return score_predictions(subject(drawn, chosen_on), PROTOCOL).metrics


def named(metrics: list[Metric], metric: str) -> list[Metric]:
    return [one for one in metrics if one.metric == metric]


def test_ground_truth_known_is_reported_at_three_thresholds_each_labelled(drawn: Drawn) -> None:
    other = draw(N, seed=8)
    fixed, frozen, oracle = named(metrics_of(drawn, other), "gt_known_error")
    assert (fixed.threshold, fixed.chosen_on) == (0.2, "fixed")
    expected = scoring.gt_known_error(
        drawn.known, drawn.true_boxes, iou_threshold=0.5, inclusive=True
    )
    assert fixed.value == pytest.approx(expected)
    elsewhere = known_overlaps(other.predictions, other.truth, PROTOCOL)
    here = known_overlaps(drawn.predictions, drawn.truth, PROTOCOL)
    assert elsewhere is not None
    assert here is not None
    errors = (here.main < 0.5).double().mean(0)
    cut = best_cut(elsewhere.main >= 0.5)
    assert (frozen.threshold, frozen.chosen_on) == (CUTS[cut], "val")
    assert frozen.value == pytest.approx(errors[cut].item())
    assert oracle.chosen_on == "test (oracle)"
    assert oracle.value == pytest.approx(errors.min().item())


def test_without_another_split_there_is_no_frozen_threshold(drawn: Drawn) -> None:
    known = [figure.chosen_on for figure in named(metrics_of(drawn), "gt_known_error")]
    assert known == ["fixed", "test (oracle)"]


def test_of_several_best_cuts_the_lowest_is_chosen() -> None:
    assert best_cut(torch.tensor([[0, 1, 1, 0]]).bool().expand(9, -1)) == 1


def test_the_baselines_equal_the_oracle(drawn: Drawn) -> None:
    whole = named(metrics_of(drawn), "whole_image_gt_known_error")[0]
    boxes = [(0, 0, width - 1, height - 1) for height, width in drawn.sizes]
    expected = scoring.gt_known_error(boxes, drawn.true_boxes, iou_threshold=0.5, inclusive=True)
    assert whole.value == pytest.approx(expected)
    centred = named(metrics_of(drawn), "centred_box_gt_known_error")[0]
    share = scoring.best_centred_share(
        drawn.sizes, drawn.true_boxes, shares=CENTRED_SHARES, iou_threshold=0.5
    )
    boxes = [scoring.centred_box(size, share) for size in drawn.sizes]
    expected = scoring.gt_known_error(boxes, drawn.true_boxes, iou_threshold=0.5, inclusive=True)
    assert centred.value == pytest.approx(expected)
    assert centred.chosen_on == f"test (oracle, side {share:.2f})"


def test_every_figure_has_its_n_and_an_interval_around_it(drawn: Drawn) -> None:
    for figure in metrics_of(drawn, draw(N, seed=8)):
        assert figure.n == N
        assert (figure.protocol, figure.data, figure.split) == ("ilsvrc", "drawn", "test")
        assert figure.low <= figure.value <= figure.high


def test_images_of_the_blacklist_leave_localization_only(drawn: Drawn) -> None:
    left_out = score_predictions(subject(drawn), replace(PROTOCOL, blacklist=True)).metrics
    for figure in left_out:
        boxed = "localization" in figure.metric or "known" in figure.metric
        assert figure.n == (N - len(drawn.blacklist) if boxed else N)


def test_the_kinds_of_error_add_up_to_the_error(drawn: Drawn) -> None:
    found = metrics_of(drawn)
    shares = {each.metric: each.value for each in found if "/" in each.metric}
    assert len(shares) == 5
    assert all(shares.values())
    assert sum(shares.values()) == pytest.approx(named(found, "top1_localization_error")[0].value)


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((2, 2, 5, 5), "part"),
        ((0, 0, 19, 15), "more"),
        ((0, 0, 39, 39), "several"),
        ((12, 0, 19, 9), "elsewhere"),
        ((0, 0, 9, 9), None),
    ],
)
def test_an_error_is_of_the_kind_that_a_person_would_say(box, kind) -> None:
    drawn = draw(1, classes=8, seed=1)
    row = drawn.predictions.table.to_pylist()[0] | {
        "height": 40,
        "width": 40,
        "guess_labels": [drawn.labels[0]],
        "guess_boxes": list(box),
    }
    table = pa.Table.from_pylist([row], schema=SCHEMA)
    boxes = torch.tensor([[[0.0, 0.0, 9.0, 9.0], [25.0, 25.0, 39.0, 39.0]]])
    truth = replace(
        drawn.truth,
        boxes=drawn.truth.boxes._replace(xyxy=boxes, present=torch.ones(1, 2, dtype=torch.bool)),
    )
    found = score_predictions(
        Scoring(Predictions(table, drawn.predictions.about), truth, "drawn", "test"), PROTOCOL
    ).metrics
    kinds = [each.metric.partition("/")[2] for each in found if "/" in each.metric and each.value]
    assert kinds == ([] if kind is None else [kind])


def test_the_interval_equals_a_bootstrap_done_one_resample_at_a_time() -> None:
    values = (torch.rand(97, 3) < 0.3).double()
    low, high = intervals(values, resamples=300, seed=5)
    for column in range(3):
        expected = scoring.bootstrap_interval(values[:, column].tolist(), 300, seed=5)
        assert (low[column].item(), high[column].item()) == pytest.approx(expected)


def test_the_interval_does_not_depend_on_how_much_is_drawn_at_a_time(monkeypatch) -> None:
    values = torch.rand(50, 2)
    whole = torch.stack(intervals(values, resamples=64, seed=1))
    monkeypatch.setattr("gapnet.evaluation.bootstrap.CHUNK", 300)
    again = torch.stack(intervals(values, resamples=64, seed=1))
    assert torch.allclose(whole, again, rtol=0, atol=1e-12)


def test_with_five_classes_a_top5_error_is_not_reported() -> None:
    metrics = {figure.metric for figure in metrics_of(draw(40, classes=5))}
    assert "top4_error" in metrics
    assert not metrics & {"top5_error", "top5_localization_error"}


def test_without_boxes_only_classification_is_scored(drawn: Drawn) -> None:
    bare = replace(subject(drawn), truth=replace(drawn.truth, boxes=None))
    metrics = [figure.metric for figure in score_predictions(bare, PROTOCOL).metrics]
    assert metrics == [f"top{k}_error" for k in range(1, 6)]


def test_classes_are_told_apart(drawn: Drawn) -> None:
    scored = score_predictions(subject(drawn), PROTOCOL)
    found = class_errors(scored.verdicts, drawn.truth.labels, 9)
    assert found.counts["top1_error"].tolist() == [drawn.labels.count(row) for row in range(9)]
    for index in range(8):
        rows = [row for row, label in enumerate(drawn.labels) if label == index]
        wrong = [drawn.guesses[row][0][0] != index for row in rows]
        assert found.errors["top1_error"][index].item() == pytest.approx(sum(wrong) / len(rows))
    assert found.errors["top1_error"][8].isnan()
    metric, order = rank(found)
    assert metric == "gt_known_error"
    assert sorted(order) == list(range(8))
    errors = [found.errors[metric][index] for index in order]
    assert errors == sorted(errors)


def test_the_images_of_a_class_are_those_that_count(drawn: Drawn) -> None:
    scored = score_predictions(subject(drawn), replace(PROTOCOL, blacklist=True))
    found = class_errors(scored.verdicts, drawn.truth.labels, 8)
    assert found.counts["top1_error"].sum() == N
    assert found.counts["gt_known_error"].sum() == N - len(drawn.blacklist)


def test_thresholds_of_other_predictions_are_not_taken(drawn: Drawn) -> None:
    other = draw(N, seed=8)
    table, about = other.predictions.table, replace(other.predictions.about, weights="others")
    foreign = other._replace(predictions=Predictions(table, about))
    with refused("val", "test", "weights"):
        metrics_of(drawn, foreign)


def test_without_guesses_no_class_is_judged(drawn: Drawn) -> None:
    nothing = {"classes": [], "scores": [], "guess_labels": [], "guess_boxes": []}
    rows = [each | nothing for each in drawn.predictions.table.to_pylist()]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    bare = replace(subject(drawn), predictions=Predictions(table, drawn.predictions.about))
    metrics = {each.metric for each in score_predictions(bare, PROTOCOL).metrics}
    assert metrics == {
        "gt_known_error",
        "whole_image_gt_known_error",
        "centred_box_gt_known_error",
    }


def test_without_a_first_guess_s_figure_its_errors_are_not_sorted(drawn: Drawn) -> None:
    later = score_predictions(subject(drawn), replace(PROTOCOL, within=[5])).metrics
    assert not any("/" in each.metric for each in later)


def test_an_image_that_could_not_be_read_is_wrong_in_everything(drawn: Drawn) -> None:
    rows = [
        unreadable(Record(each["id"], Path(), 0, None), ThresholdBoxer(cuts=len(CUTS)))._asdict()
        if place < 100
        else each
        for place, each in enumerate(drawn.predictions.table.to_pylist())
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    broken = replace(subject(drawn), predictions=replace(drawn.predictions, table=table))
    known = {"known_ious": (0.3, 0.5)}
    for protocol in (
        PROTOCOL,
        *(replace(PROTOCOL, frame=frame, **known) for frame in ("wsol", "tscam", "psol")),
    ):
        scored = score_predictions(broken, protocol)
        for verdict in scored.verdicts:
            if verdict.metric.startswith("max_box"):
                assert (verdict.values[:100] == 0).all(), verdict.metric
            elif "/" not in verdict.metric:
                assert (verdict.values[:100] == 1).all(), verdict.metric
        shares = {each.metric: each.value for each in scored.metrics if "/" in each.metric}
        total = named(scored.metrics, "top1_localization_error")[0].value
        assert sum(shares.values()) == pytest.approx(total)


def test_aligned_predictions_follow_the_truth_s_order(drawn: Drawn) -> None:
    shuffled = drawn.predictions.take(torch.randperm(N).tolist())
    aligned = replace(subject(drawn), predictions=align(shuffled, drawn.truth.ids))
    assert score_predictions(aligned, PROTOCOL).metrics == metrics_of(drawn)


def test_a_missing_image_is_an_error_that_names_it(drawn: Drawn) -> None:
    ids = [*drawn.truth.ids, "image300", "image301"]
    with refused(2, 302, "image300"):
        align(drawn.predictions, ids)


def test_an_image_that_is_listed_twice_is_an_error(drawn: Drawn) -> None:
    with refused("image image0"):
        replace(drawn.truth, ids=["image0", *drawn.truth.ids[:-1]])
