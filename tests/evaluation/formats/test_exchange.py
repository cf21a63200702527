import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Guessed, Key, numbers_from_one
from gapnet.evaluation.formats.exchange import (
    WRITERS,
    check_boxes_inside,
    guesses_of,
    read_guesses,
)
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.rows import NO_BOX
from gapnet.evaluation.store import SCHEMA, About
from gapnet.localization.boxers.contours import ContourBoxer
from gapnet.ops.boxes import clip, leave_window
from tests.evaluation.drawn import Box, draw
from tests.evaluation.formats.guessed import (
    KEY,
    draw_guesses,
    predictions_of,
    refused,
    same,
    truth_of,
)

ABOUT = About("test", ("a", "b"), "another tool")
MANY = 30  # classes, so that five guesses are seldom right by chance


def written(guesses: Sequence[Guessed], key: Key, folder: Path, name: str) -> Path:
    write, suffix = WRITERS[name]
    path = folder / f"guesses.{suffix}"
    write(guesses, key, path)
    return path


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", list(WRITERS))
def test_a_round_trip_loses_nothing(tmp_path: Path, name: str, seed: int) -> None:
    key, guesses = draw_guesses(seed)
    assert {len(each.labels) for each in guesses} == {0, 1, 2, 3, 4, 5}
    assert any(len(set(each.labels)) < len(each.labels) for each in guesses)
    same(read_guesses(written(guesses, key, tmp_path, name), key, truth_of(key)), guesses)


def test_parquet_reads_the_table_that_csv_holds(tmp_path: Path) -> None:
    key, guesses = draw_guesses(9)
    table = pa.csv.read_csv(written(guesses, key, tmp_path, "csv"))
    pq.write_table(table, tmp_path / "guesses.parquet")
    same(read_guesses(tmp_path / "guesses.parquet", key, truth_of(key)), guesses)


@pytest.mark.parametrize("name", list(WRITERS))
def test_predictions_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    predictions = draw(50, seed=3).predictions
    key = Key(
        predictions.ids, predictions.about.classes, numbers_from_one(predictions.about.classes)
    )
    path = written(guesses_of(predictions), key, tmp_path, name)
    sizes = predictions.sizes.int()
    again = predictions_of(read_guesses(path, key, truth_of(key)), sizes, predictions.about)
    for column in ("id", "height", "width", "guess_labels", "guess_boxes"):
        assert again.table[column].to_pylist() == predictions.table[column].to_pylist()
    assert torch.equal(again.classes, predictions.classes)


@pytest.mark.parametrize("name", list(WRITERS))
def test_boxes_of_less_than_a_pixel_come_back(tmp_path: Path, name: str) -> None:
    """Cells of wsolevaluation's square are finer than the pixels of a small image."""
    grid, window = ContourBoxer().grid((48, 30)), torch.tensor([0.0, 0.0, 30.0, 48.0])
    rng = random.Random(0)
    cells = [[x := rng.randrange(224), y := rng.randrange(224), x, y] for _ in range(200)]
    boxes = clip(leave_window(torch.tensor(cells).float(), window, grid), torch.tensor([48, 30]))
    assert (boxes[:, 2] < boxes[:, 0]).any()
    key = Key([f"image{place}" for place in range(len(cells))], ["a"], {1: 0})
    guesses = [
        Guessed(each, [0], [tuple(box)]) for each, box in zip(key.ids, boxes.tolist(), strict=True)
    ]
    same(read_guesses(written(guesses, key, tmp_path, name), key, truth_of(key)), guesses)


def test_guesses_have_the_scores_of_their_classes() -> None:
    row = {
        "id": "a",
        "height": 4,
        "width": 4,
        "classes": [3, 1],
        "scores": [0.75, 0.25],
        "guess_labels": [3, 3, 1],
        "guess_boxes": [0.0, 0.0, 1.0, 1.0] * 3,
    }
    (made,) = guesses_of(Predictions(pa.Table.from_pylist([row], schema=SCHEMA), ABOUT))
    assert made.scores == [0.75, 0.75, 0.25]
    row["guess_labels"] = [2, 3, 1]
    (made,) = guesses_of(Predictions(pa.Table.from_pylist([row], schema=SCHEMA), ABOUT))
    assert made.scores is None


def test_an_image_that_could_not_be_read_has_no_guess() -> None:
    row = {"id": "a", "height": 0, "width": 0, "classes": [-1], "scores": [0.0]}
    row |= {"guess_labels": [-1], "guess_boxes": list(NO_BOX)}
    predictions = Predictions(pa.Table.from_pylist([row], schema=SCHEMA), ABOUT)
    assert guesses_of(predictions)[0].labels == []


@pytest.mark.parametrize("name", ["guesses", "guesses.xml", "guesses.csv.gz", "guesses.npy"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(GapnetError, match=f"predictions=.*{name}: "):
        read_guesses(tmp_path / name, KEY, truth_of(KEY))


@pytest.mark.parametrize("suffix", ["txt", "csv", "json", "parquet"])
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"guesses.{suffix}"
    path.write_bytes(b"")
    refused(lambda *of: read_guesses(*of, truth_of(KEY)), path, KEY)


@pytest.mark.parametrize("start", ["", "ImageId,PredictionString\n", "image,rank\n"])
@pytest.mark.parametrize("suffix", ["txt", "csv", "json"])
def test_what_is_not_utf_8_is_refused(tmp_path: Path, suffix: str, start: str) -> None:
    path = tmp_path / f"guesses.{suffix}"
    path.write_bytes(start.encode() + "café".encode("latin-1") * 3)
    refused(lambda *of: read_guesses(*of, truth_of(KEY)), path, KEY, "at ")


def test_a_number_that_no_float_can_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guesses.json"
    result = {"image_id": "a", "category_id": 1, "bbox": [10**400, 0, 9, 9], "score": 1}
    path.write_text(json.dumps([result]))
    refused(lambda *of: read_guesses(*of, truth_of(KEY)), path, KEY, "JSON")


def test_a_quote_that_does_not_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guesses.csv"
    path.write_text('ImageId,PredictionString\na,"n01 0 0 9 9\n' + "b,n01 0 0 9 9\n" * 20_000)
    refused(lambda *of: read_guesses(*of, truth_of(KEY)), path, KEY, "CSV")


@pytest.mark.parametrize(("name", "text"), [("a.txt", "\n\n\n"), ("a.json", "[]")])
def test_a_file_without_any_guess_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    refused(
        lambda *of: read_guesses(*of, truth_of(KEY)),
        path,
        KEY,
        " 3 images",
    )


def sure(count: int = 100) -> tuple[Key, list[Guessed], list[int]]:
    """Guess five classes, the last of them right, in the order of the file names."""
    rng = random.Random(1)
    key, _ = draw_guesses(1, count=1, classes=MANY)
    key = replace(key, ids=[f"image{place:04d}" for place in range(count)])
    key = replace(key, others=numbers_from_one(key.classes))
    labels = [rng.randrange(MANY) for _ in key.ids]
    guesses = [
        Guessed(each, [*rng.sample(range(MANY), 4), label], [(0.0, 0.0, 3.0, 3.0)] * 5)
        for each, label in zip(key.ids, labels, strict=True)
    ]
    return key, guesses, labels


@pytest.mark.parametrize("name", list(WRITERS))
def test_guesses_that_are_often_right_are_believed(tmp_path: Path, name: str) -> None:
    key, guesses, labels = sure()
    path = written(guesses, key, tmp_path, name)
    same(read_guesses(path, key, truth_of(key, labels)), guesses)


def test_lines_in_another_order_are_suspected(tmp_path: Path) -> None:
    key, guesses, labels = sure()
    path = written(guesses, key, tmp_path, "devkit")
    lines = path.read_text().splitlines(keepends=True)
    random.Random(0).shuffle(lines)
    path.write_text("".join(lines))
    refused(lambda *of: read_guesses(*of, truth_of(key, labels)), path, key, "order")


def test_places_among_the_classes_read_as_the_devkit_s_numbers_are_suspected(
    tmp_path: Path,
) -> None:
    key, guesses, labels = sure()
    plain = replace(key, numbers=key.others, others=key.numbers)
    path = written(guesses, plain, tmp_path, "devkit")
    refused(lambda *of: read_guesses(*of, truth_of(key, labels)), path, key, "use labels=index")


def test_the_devkit_s_numbers_read_as_places_among_the_classes_are_suspected(
    tmp_path: Path,
) -> None:
    key, guesses, labels = sure()
    plain = replace(key, numbers=key.others, others=key.numbers)
    path = written(guesses, key, tmp_path, "devkit")
    remedy = "leave out labels=index"
    refused(lambda *of: read_guesses(*of, truth_of(key, labels)), path, plain, remedy)
    alone = replace(plain, others=None)
    refused(
        lambda *of: read_guesses(*of, truth_of(key, labels)), path, alone, "order of the file names"
    )


def test_what_is_suspected_is_read_all_the_same_where_that_is_asked(tmp_path: Path) -> None:
    key, guesses, labels = sure()
    path = written(guesses, key, tmp_path, "devkit")
    wrong = [(label + 1) % MANY for label in labels]
    same(read_guesses(path, key, truth_of(key, wrong), check_labels=False), guesses)


def test_of_a_format_that_names_images_and_classes_a_warning_is_enough(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, guesses, labels = sure()
    moved = [
        each._replace(labels=[(label + 7) % MANY for label in each.labels]) for each in guesses
    ]
    path = written(moved, key, tmp_path, "kaggle")
    same(read_guesses(path, key, truth_of(key, labels)), moved)
    assert "are these predictions for other images, or other classes?" in caplog.text


def test_nothing_is_suspected_of_few_images(tmp_path: Path) -> None:
    key, guesses, labels = sure(20)
    path = written(guesses, key, tmp_path, "kaggle")
    wrong = [(label + 1) % MANY for label in labels]
    same(read_guesses(path, key, truth_of(key, wrong)), guesses)


SIZES = torch.tensor([[50, 50], [20, 30]])


def two(box: Box) -> list[Guessed]:
    return [Guessed("a", [0], [(0.0, 0.0, 3.0, 3.0)]), Guessed("b", [0], [box])]


@pytest.mark.parametrize(
    "box",
    [
        (0.0, 0.0, 29.0, 19.0),
        (-3.0, -3.0, 400.0, 400.0),  # scoring needs no clipping
        (30.0, 0.0, 35.0, 5.0),  # some count from 1
    ],
)
def test_boxes_may_reach_beyond_their_image(box: Box) -> None:
    check_boxes_inside(two(box), SIZES, Path("guesses.txt"))


@pytest.mark.parametrize(
    "box", [(31.0, 0.0, 35.0, 5.0), (0.0, 21.0, 5.0, 25.0), (-9.0, 0.0, -1.0, 5.0)]
)
def test_boxes_that_lie_outside_their_image_are_refused(box: Box) -> None:
    with pytest.raises(GapnetError, match=r"guesses.txt: box \[.*\] .* image b of 30 x 20 "):
        check_boxes_inside(two(box), SIZES, Path("guesses.txt"))
    with pytest.raises(GapnetError, match=r"guesses.csv: box \[.*\] .* image b of 30 x 20 "):
        check_boxes_inside(two(box), SIZES, Path("guesses.csv"))


def test_guesses_without_scores_are_taken_out_of_predictions() -> None:
    guessed = Guessed("b", [1, 0], [(0.0, 0.0, 3.0, 3.0)] * 2)
    assert guesses_of(predictions_of([guessed], SIZES[:1], ABOUT)) == [guessed]
