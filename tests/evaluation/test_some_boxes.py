"""Scores of data in which only some images have boxes."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from gapnet.data.records import Record, Records
from gapnet.evaluation.compare import compare_verdicts, write_verdicts
from gapnet.evaluation.ground_truth import SplitTruth, ground_truth_of
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric, Scoring, score_predictions
from gapnet.evaluation.store import SCHEMA
from gapnet.metrics.functional import pad_lists
from tests.evaluation.drawn import Drawn, draw
from tests.oracles import scoring

PROTOCOL = Protocol(resamples=100, known_ious=(0.3, 0.5))
COLUMNS = ("known_box", "window", "grid", "swept_boxes", "swept_cuts")  # of images with boxes


def with_some_boxes(drawn: Drawn) -> tuple[Scoring, list[int]]:
    """Return predictions and truth in which every third image has boxes, and those rows."""
    rows = list(range(0, len(drawn.labels), 3))
    lists = [
        torch.tensor(boxes if row in rows else []).view(-1, 4)
        for row, boxes in enumerate(drawn.true_boxes)
    ]
    table = drawn.predictions.table.to_pylist()
    for row, values in enumerate(table):
        if row not in rows:
            values.update(dict.fromkeys(COLUMNS))
    predictions = replace(drawn.predictions, table=pa.Table.from_pylist(table, schema=SCHEMA))
    boxed = torch.tensor([row in rows for row in range(len(lists))])
    truth = replace(drawn.truth, boxes=pad_lists(lists), boxed=boxed)
    return Scoring(predictions, truth, "drawn", "test"), rows


def only(drawn: Drawn, rows: list[int]) -> Scoring:
    truth = SplitTruth(
        [drawn.truth.ids[row] for row in rows],
        drawn.truth.labels[rows],
        pad_lists([torch.tensor(drawn.true_boxes[row]) for row in rows]),
        drawn.truth.blacklisted[rows],
    )
    return Scoring(drawn.predictions.take(rows), truth, "drawn", "test")


def by_name(metrics: list[Metric]) -> dict[tuple[str, str | None], Metric]:
    return {(row.metric, row.chosen_on): row for row in metrics}


def test_localization_is_that_of_the_images_with_boxes() -> None:
    drawn, other = draw(90, seed=1), draw(60, seed=2)
    (case, rows), (chooser, others) = with_some_boxes(drawn), with_some_boxes(other)
    case = replace(case, chosen_on=(chooser.predictions, chooser.truth, "val"))
    subset, subset_chooser = only(drawn, rows), only(other, others)
    chosen_on = (subset_chooser.predictions, subset_chooser.truth, "val")
    subset = replace(subset, chosen_on=chosen_on)
    scored = by_name(score_predictions(case, PROTOCOL).metrics)
    expected = by_name(score_predictions(subset, PROTOCOL).metrics)
    assert scored.keys() == expected.keys()
    boxed = [name for name in scored if not name[0].startswith("top") or "local" in name[0]]
    assert len(boxed) > 10
    assert [scored[name] for name in boxed] == [expected[name] for name in boxed]
    assert scored["top1_error", None].n == 90


def test_the_error_is_that_of_the_oracle() -> None:
    drawn = draw(90, seed=1)
    case, rows = with_some_boxes(drawn)
    metrics = by_name(score_predictions(case, replace(PROTOCOL, blacklist=False)).metrics)
    expected = scoring.gt_known_error(
        [drawn.known[row] for row in rows],
        [drawn.true_boxes[row] for row in rows],
        iou_threshold=0.5,
        inclusive=True,
    )
    assert metrics["gt_known_error", "fixed"].value == pytest.approx(expected)
    assert metrics["gt_known_error", "fixed"].n == 30


def test_verdicts_of_images_without_boxes_are_null(tmp_path: Path) -> None:
    case, rows = with_some_boxes(draw(30, seed=3))
    protocol = replace(PROTOCOL, blacklist=False)
    verdicts = {"p": score_predictions(case, protocol).verdicts}
    path = tmp_path / "a.parquet"
    write_verdicts(case.truth, verdicts, path, data=case.data, split=case.split)
    (known,) = (
        difference
        for difference in compare_verdicts(tmp_path / "a.parquet", tmp_path / "a.parquet")
        if difference.metric == "p/gt_known_error"
    )
    assert known.n == len(rows)


def test_the_truth_of_records_says_which_have_boxes(tmp_path: Path) -> None:
    box = torch.tensor([[0.0, 0, 1, 1]])
    records = [
        Record(str(row), tmp_path / str(row), 0, box if row == 1 else None) for row in (0, 1)
    ]
    truth = ground_truth_of(Records.of(records, tmp_path))
    assert truth.boxed is not None
    assert truth.boxed.tolist() == [False, True]
    assert truth.with_boxes.ids == ["1"]
    assert ground_truth_of(Records.of(records[1:], tmp_path)).boxed is None
    nothing = ground_truth_of(Records.of(records[:1], tmp_path))
    assert (nothing.boxes, nothing.boxed) == (None, None)
