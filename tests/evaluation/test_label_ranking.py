"""Mean average precision of multi-label predictions, against scikit-learn."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import average_precision_score

from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric, Scoring, score_predictions
from gapnet.evaluation.store import SCHEMA
from tests.evaluation.drawn import Drawn, draw

CLASSES = 8
NAME = "mean_average_precision"


@pytest.fixture
def drawn() -> Drawn:
    """Draw a case in which every image has some classes and a score for each of them."""
    drawn, rng = draw(60, classes=CLASSES), np.random.default_rng(0)
    sets = [
        sorted({label, *rng.choice(CLASSES, 2)} - {7}) or [0] for label in drawn.labels
    ]  # no image has class 7
    truth = replace(drawn.truth, label_sets=[list(map(int, labels)) for labels in sets])
    rows = drawn.predictions.table.to_pylist()
    for row in rows:
        values = rng.integers(0, 20, CLASSES) / 20  # some are equal
        order = np.argsort(-values, kind="stable")
        row["classes"], row["scores"] = order.tolist(), values[order].tolist()
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return drawn._replace(truth=truth, predictions=replace(drawn.predictions, table=table))


def score(predictions: Predictions, drawn: Drawn) -> list[Metric]:
    scoring = Scoring(predictions, drawn.truth, "drawn", "test")
    return score_predictions(scoring, Protocol(resamples=50)).metrics


def expected(predictions: Predictions, drawn: Drawn) -> float:
    scores = np.zeros((60, CLASSES), np.float32)
    for row, (classes, values) in enumerate(
        zip(predictions.table["classes"], predictions.table["scores"], strict=True)
    ):
        if classes.as_py() != [-1]:
            scores[row, classes.as_py()] = values.as_py()
    targets = np.zeros((60, CLASSES), int)
    for row, labels in enumerate(drawn.truth.label_sets or ()):
        targets[row, list(labels)] = 1
    return float(average_precision_score(targets[:, :7], scores[:, :7], average="macro"))


def test_mean_average_precision_is_scikit_learn_s(drawn: Drawn) -> None:
    (metric,) = (row for row in score(drawn.predictions, drawn) if row.metric == NAME)
    assert metric.value == pytest.approx(expected(drawn.predictions, drawn))
    assert metric.low < metric.value < metric.high
    assert metric.n == 60


def test_an_image_that_could_not_be_read_ranks_last(drawn: Drawn) -> None:
    rows = drawn.predictions.table.to_pylist()
    rows[3] |= {"height": 0, "width": 0, "classes": [-1], "scores": [0.0]}
    broken = replace(drawn.predictions, table=pa.Table.from_pylist(rows, schema=SCHEMA))
    (metric,) = (row for row in score(broken, drawn) if row.metric == NAME)
    assert metric.value == pytest.approx(expected(broken, drawn))


def test_predictions_with_the_best_classes_only_have_no_mean_average_precision(
    drawn: Drawn,
) -> None:
    rows = drawn.predictions.table.to_pylist()
    rows[5] |= {name: rows[5][name][:5] for name in ("classes", "scores")}
    few = replace(drawn.predictions, table=pa.Table.from_pylist(rows, schema=SCHEMA))
    assert NAME not in {row.metric for row in score(few, drawn)}


def test_single_label_data_has_the_metrics_of_before(drawn: Drawn) -> None:
    single = drawn._replace(truth=replace(drawn.truth, label_sets=None))
    several, one = (score(case.predictions, case) for case in (drawn, single))
    assert one == [row for row in several if row.metric != NAME]
    assert torch.equal(single.truth.labels, drawn.truth.labels)
