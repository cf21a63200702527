from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gapnet.evaluation.compare import compare_verdicts, read_verdicts, write_verdicts
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Scoring, score_predictions
from gapnet.evaluation.verdicts import Verdict
from tests.evaluation.drawn import Drawn, draw
from tests.refusals import refused

COUNT = 80
DRAWN = draw(COUNT, seed=0)
PROTOCOL = Protocol(within=(1, 5), resamples=1)


def subject(seed: int = 0, **changes: object) -> Scoring:
    """Hold the predictions of a seed against the one truth."""
    plain = Scoring(draw(COUNT, seed=seed).predictions, DRAWN.truth, "drawn", "test")
    return replace(plain, **changes)


def write(path: Path, subject: Scoring, protocol: Protocol = PROTOCOL) -> Path:
    verdicts = {protocol.name: score_predictions(subject, protocol).verdicts}
    write_verdicts(subject.truth, verdicts, path, data=subject.data, split=subject.split)
    return path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    home = tmp_path_factory.mktemp("pair")
    return write(home / "a.parquet", subject()), write(home / "b.parquet", subject(5))


def wrong_by_hand(drawn: Drawn, labels: list[int]) -> np.ndarray:
    """Judge the first guess's label."""
    first = [some[0][0] for some in drawn.guesses]
    return np.array([mine != true for mine, true in zip(first, labels, strict=True)], float)


def test_values_and_disagreements_are_those_of_the_images(pair: tuple[Path, Path]) -> None:
    (found,) = [each for each in compare_verdicts(*pair) if each.metric == "ilsvrc/top1_error"]
    a, b = wrong_by_hand(DRAWN, DRAWN.labels), wrong_by_hand(draw(COUNT, seed=5), DRAWN.labels)
    assert (found.a, found.b) == pytest.approx((a.mean(), b.mean()))
    assert found.difference == pytest.approx(b.mean() - a.mean())
    assert found.n == COUNT
    assert found.only_a == [f"image{place}" for place in np.flatnonzero(a < b)]
    assert found.only_b == [f"image{place}" for place in np.flatnonzero(b < a)]
    assert found.only_a
    assert found.only_b


@pytest.mark.slow
def test_intervals_are_those_of_a_paired_bootstrap(pair: tuple[Path, Path]) -> None:
    (found,) = [
        each for each in compare_verdicts(*pair, resamples=4000) if each.metric.endswith("p1_error")
    ]
    change = wrong_by_hand(draw(COUNT, seed=5), DRAWN.labels) - wrong_by_hand(DRAWN, DRAWN.labels)
    rows = np.random.default_rng(12345).integers(0, COUNT, (4000, COUNT))
    low, high = np.quantile(change[rows].mean(1), [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=1.01 / COUNT)
    assert found.high == pytest.approx(high, abs=1.01 / COUNT)
    assert found.low < found.difference < found.high


def test_images_that_are_blacklisted_do_not_count(pair: tuple[Path, Path]) -> None:
    counts = {each.metric: each.n for each in compare_verdicts(*pair)}
    assert counts["ilsvrc/top1_error"] == COUNT
    assert counts["ilsvrc/top1_localization_error"] == COUNT - len(DRAWN.blacklist) < COUNT


def test_a_comparison_is_symmetric(pair: tuple[Path, Path]) -> None:
    a, b = pair
    for one, other in zip(compare_verdicts(a, b), compare_verdicts(b, a), strict=True):
        assert (one.metric, one.a, one.b, one.n) == (other.metric, other.b, other.a, other.n)
        assert (one.only_a, one.only_b) == (other.only_b, other.only_a)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


def test_a_run_does_not_differ_from_itself(pair: tuple[Path, Path]) -> None:
    for each in compare_verdicts(pair[0], pair[0]):
        assert (each.difference, each.low, each.high) == (0, 0, 0)
        assert each.only_a == each.only_b == []


def test_one_image_more_has_a_narrow_interval(tmp_path: Path) -> None:
    """An unpaired interval would be as wide as those of both runs."""
    every = torch.ones(COUNT, dtype=torch.bool)
    paths, values = [], (torch.arange(COUNT) % 2).double()
    for changed in (0.0, 1.0):
        verdict = Verdict("top1_error", values.clone(), every)
        verdict.values[0] = changed
        paths.append(tmp_path / f"{changed}.parquet")
        write_verdicts(DRAWN.truth, {"ilsvrc": [verdict]}, paths[-1], data="drawn", split="test")
    (found,) = compare_verdicts(*paths)
    assert (found.only_a, found.only_b) == (["image0"], [])
    assert found.low == 0
    assert found.high <= 5 / COUNT


def test_more_is_better_where_the_figure_is_an_accuracy(tmp_path: Path) -> None:
    every, paths = torch.ones(COUNT, dtype=torch.bool), []
    for name, value in (("a", 0.0), ("b", 1.0)):
        verdict = Verdict("max_box_acc", torch.zeros(COUNT), every, 0.2, "val")
        verdict.values[3] = value
        paths.append(tmp_path / f"{name}.parquet")
        write_verdicts(DRAWN.truth, {"wsol": [verdict]}, paths[-1], data="drawn", split="test")
    (found,) = compare_verdicts(*paths)
    assert found.metric == "wsol/max_box_acc/val"
    assert (found.only_a, found.only_b) == ([], ["image3"])


def test_oracles_are_not_compared(pair: tuple[Path, Path]) -> None:
    names = pq.read_table(pair[0]).column_names
    assert names[:2] == ["id", "label"]
    assert any(name.startswith("ilsvrc/gt_known_error") for name in names)
    assert not any("oracle" in name for name in names)


def test_images_in_another_order_are_the_same(pair: tuple[Path, Path], tmp_path: Path) -> None:
    table = read_verdicts(pair[1])
    pq.write_table(table.take(pa.array(range(COUNT)[::-1])), tmp_path / "turned.parquet")
    assert compare_verdicts(pair[0], tmp_path / "turned.parquet") == compare_verdicts(*pair)


def test_the_truth_is_the_same_in_another_order(pair: tuple[Path, Path], tmp_path: Path) -> None:
    order = list(range(COUNT))[::-1]
    truth, boxes = DRAWN.truth, DRAWN.truth.boxes
    turned = replace(
        truth,
        ids=[truth.ids[row] for row in order],
        labels=truth.labels[order],
        boxes=boxes._replace(xyxy=boxes.xyxy[order], present=boxes.present[order]),
        blacklisted=truth.blacklisted[order],
    )
    predictions = draw(COUNT, seed=5).predictions.take(order)
    path = write(tmp_path / "turned.parquet", subject(predictions=predictions, truth=turned))
    assert compare_verdicts(pair[0], path) == compare_verdicts(*pair)


def other_boxes() -> Scoring:
    boxes = DRAWN.truth.boxes
    return subject(truth=replace(DRAWN.truth, boxes=boxes._replace(xyxy=boxes.xyxy + 1)))


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        (lambda: subject(data="CUB"), ["data", "'drawn'", "'CUB'"]),
        (lambda: subject(split="val"), ["split", "'test'", "'val'"]),
        (
            lambda: subject(truth=replace(DRAWN.truth, labels=DRAWN.truth.labels.flip(0))),
            ["labels"],
        ),
        (other_boxes, ["boxes"]),
        (
            lambda: subject(truth=replace(DRAWN.truth, ids=[*DRAWN.truth.ids[1:], "new"])),
            [80, 79],
        ),
    ],
)
def test_runs_on_other_images_are_refused(
    pair: tuple[Path, Path], tmp_path: Path, other: object, parts: list[object]
) -> None:
    a, b = pair[0], write(tmp_path / "other.parquet", other())
    with refused(a, b, *parts):
        compare_verdicts(a, b)


def test_runs_without_a_common_protocol_are_refused(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    a = pair[0]
    b = write(tmp_path / "other.parquet", subject(5), replace(PROTOCOL, name="wsol"))
    with refused(a, b, "protocol=..."):
        compare_verdicts(a, b)


@pytest.mark.parametrize(
    "content",
    [
        b"PAR1 and no more",
        None,
        pa.table({"id": ["a"]}),
        pa.table({"x": [1]}, metadata={"data": "", "split": "", "truth": ""}),
    ],
)
def test_a_file_that_holds_no_verdicts_is_refused(
    pair: tuple[Path, Path], tmp_path: Path, content: object
) -> None:
    a, b = pair[0], tmp_path / "other.parquet"
    if isinstance(content, bytes):
        b.write_bytes(content)
    elif content is not None:
        pq.write_table(content, b)
    with refused(b):
        compare_verdicts(a, b)


def test_verdicts_without_a_digest_are_read(pair: tuple[Path, Path], tmp_path: Path) -> None:
    pq.write_table(read_verdicts(pair[0]), tmp_path / "earlier.parquet")
    assert compare_verdicts(tmp_path / "earlier.parquet", pair[1]) == compare_verdicts(*pair)
