import random
from dataclasses import replace

import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import interval
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import (
    CENTRED_SHARES,
    Figure,
    Truth,
    align,
    choose_cut,
    score,
    sweep_errors,
)
from gapnet.evaluation.store import About, Overlaps, Predictions
from gapnet.metrics.functional import pad_lists
from tests.oracles import scoring

N, CLASSES = 60, 8
CUTS = [0.0, 0.1, 0.2, 0.3]
PROTOCOL = Protocol(cuts=4, resamples=200, seed=3)


def random_box(rng: random.Random, side: int = 40) -> list[float]:
    x1, y1 = rng.randrange(side // 2), rng.randrange(side // 2)
    return [float(x1), float(y1), float(rng.randrange(x1, side)), float(rng.randrange(y1, side))]


@pytest.fixture
def drawn() -> tuple[Predictions, Truth]:
    rng = random.Random(7)
    torch.manual_seed(7)
    truth_boxes = [[random_box(rng) for _ in range(rng.randint(1, 3))] for _ in range(N)]
    labels = torch.randint(CLASSES, (N,))
    ranked = torch.stack([torch.randperm(CLASSES)[:5] for _ in range(N)])
    ranked[: N // 2, 0] = labels[: N // 2]
    boxes = torch.tensor([[random_box(rng) for _ in range(5)] for _ in range(N)])
    boxes[: N // 3, 0] = torch.tensor([each[0] for each in truth_boxes[: N // 3]])
    predictions = Predictions(
        ids=[f"image{row}" for row in range(N)],
        sizes=torch.full((N, 2), 40),
        classes=ranked,
        guess_labels=ranked,
        guess_boxes=boxes,
        overlaps=Overlaps(torch.rand(N), torch.rand(N, len(CUTS)), CUTS),
        about=About("test", "tiny_gap", "", CLASSES, 0.2, CUTS),
    )
    return predictions, Truth(
        predictions.ids, labels, pad_lists([torch.tensor(each) for each in truth_boxes])
    )


def figures(
    drawn: tuple[Predictions, Truth], frozen: tuple[float, str] | None = None
) -> list[Figure]:
    return score(*drawn, PROTOCOL, data="drawn", split="test", frozen=frozen)


def named(all_figures: list[Figure], metric: str) -> list[Figure]:
    return [figure for figure in all_figures if figure.metric == metric]


def boxes_of(truth: Truth) -> list[list[list[float]]]:
    assert truth.boxes is not None
    return [boxes[present].tolist() for boxes, present in zip(*truth.boxes, strict=True)]


@pytest.mark.parametrize("k", [1, 5])
def test_classification_and_localization_equal_the_oracle(drawn, k: int) -> None:
    predictions, truth = drawn
    labels = truth.labels.tolist()
    guesses = [
        list(zip(ranked, boxes, strict=True))
        for ranked, boxes in zip(
            predictions.guess_labels.tolist(), predictions.guess_boxes.tolist(), strict=True
        )
    ]
    by_name = {figure.metric: figure for figure in figures(drawn)}
    expected = scoring.classification_error(predictions.classes.tolist(), labels, k=k)
    assert by_name[f"top{k}_error"].value == pytest.approx(expected)
    expected = scoring.localization_error(guesses, labels, true_boxes=boxes_of(truth), k=k)
    assert 0 < expected < 1
    assert by_name[f"top{k}_localization_error"].value == pytest.approx(expected)
    assert by_name[f"top{k}_localization_error"].threshold == 0.2


def test_ground_truth_known_is_reported_at_three_thresholds_each_labelled(drawn) -> None:
    predictions, _ = drawn
    overlaps = predictions.overlaps
    assert overlaps is not None
    fixed, frozen, oracle = named(figures(drawn, (0.3, "val")), "gt_known_error")
    assert (fixed.threshold, fixed.chosen_on) == (0.2, "fixed")
    assert fixed.value == pytest.approx((overlaps.own < 0.5).double().mean().item())
    assert (frozen.threshold, frozen.chosen_on) == (0.3, "val")
    assert frozen.value == pytest.approx((overlaps.swept[:, 3] < 0.5).double().mean().item())
    assert oracle.chosen_on == "test (oracle)"
    assert oracle.value == min(sweep_errors(overlaps, PROTOCOL).tolist())


def test_without_another_split_there_is_no_frozen_threshold(drawn) -> None:
    assert [figure.chosen_on for figure in named(figures(drawn), "gt_known_error")] == [
        "fixed",
        "test (oracle)",
    ]


def test_of_several_best_cuts_the_lowest_is_chosen(drawn) -> None:
    predictions, _ = drawn
    tied = torch.tensor([[0.1, 0.9, 0.9, 0.1]]).expand(N, -1)
    assert predictions.overlaps is not None
    assert choose_cut(predictions.overlaps._replace(swept=tied), PROTOCOL) == 0.1


def test_the_anchors_equal_the_oracle(drawn) -> None:
    _, truth = drawn
    true_boxes = boxes_of(truth)
    whole = named(figures(drawn), "whole_image_gt_known_error")[0]
    expected = scoring.gt_known_error(
        [[0, 0, 39, 39]] * N, true_boxes, iou_threshold=0.5, inclusive=True
    )
    assert whole.value == pytest.approx(expected)
    centred = named(figures(drawn), "centred_box_gt_known_error")[0]
    share = scoring.best_centred_share(
        [(40, 40)] * N, true_boxes, shares=CENTRED_SHARES, iou_threshold=0.5
    )
    boxes = [scoring.centred_box((40, 40), share)] * N
    expected = scoring.gt_known_error(boxes, true_boxes, iou_threshold=0.5, inclusive=True)
    assert centred.value == pytest.approx(expected)
    assert centred.chosen_on == f"test (oracle, side {share:.2f})"


def test_every_figure_has_its_n_and_an_interval_around_it(drawn) -> None:
    for figure in figures(drawn, (0.1, "val")):
        assert figure.n == N
        assert (figure.protocol, figure.data, figure.split) == ("paper", "drawn", "test")
        assert figure.low <= figure.value <= figure.high


def test_the_interval_equals_a_bootstrap_done_one_resample_at_a_time() -> None:
    values = (torch.rand(97) < 0.3).double()
    got = interval(values, resamples=300, seed=5)
    assert got == pytest.approx(scoring.bootstrap_interval(values.tolist(), 300, seed=5))


def test_the_interval_does_not_depend_on_how_much_is_drawn_at_a_time(monkeypatch) -> None:
    values = torch.rand(50)
    whole = interval(values, resamples=64, seed=1)
    monkeypatch.setattr("gapnet.evaluation.bootstrap.CHUNK", 300)
    assert interval(values, resamples=64, seed=1) == pytest.approx(whole)


def test_with_five_classes_a_top5_error_is_not_reported(drawn) -> None:
    predictions, truth = drawn
    few = replace(predictions, about=predictions.about._replace(num_classes=5))
    assert {figure.metric for figure in figures((few, truth))} & {
        "top5_error",
        "top5_localization_error",
    } == set()


def test_without_boxes_only_classification_is_scored(drawn) -> None:
    predictions, truth = drawn
    bare = replace(predictions, overlaps=None)
    scored = score(
        bare, replace(truth, boxes=None), PROTOCOL, data="drawn", split="test", frozen=None
    )
    assert [figure.metric for figure in scored] == ["top1_error", "top5_error"]


def test_aligned_predictions_follow_the_truth_s_order(drawn) -> None:
    predictions, truth = drawn
    order = torch.randperm(N)
    shuffled = replace(
        predictions,
        ids=[predictions.ids[row] for row in order.tolist()],
        sizes=predictions.sizes[order],
        classes=predictions.classes[order],
        guess_labels=predictions.guess_labels[order],
        guess_boxes=predictions.guess_boxes[order],
        overlaps=Overlaps(predictions.overlaps.own[order], predictions.overlaps.swept[order], CUTS),
    )
    assert figures((align(shuffled, truth), truth)) == figures(drawn)


def test_a_missing_image_is_an_error_that_names_it(drawn) -> None:
    predictions, truth = drawn
    more = replace(truth, ids=[*truth.ids, "image60", "image61"])
    with pytest.raises(
        GapnetError, match="2 of 62 images have no prediction, the first of them image60"
    ):
        align(predictions, more)


@pytest.mark.parametrize("wrong", [{"iou": 0.0}, {"iou": 1.5}, {"cuts": 0}, {"resamples": 0}])
def test_a_protocol_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(GapnetError, match=f"protocol.{next(iter(wrong))}="):
        Protocol(**wrong)
