import json
from pathlib import Path

import pytest

from gapnet.evaluation.formats.base import Guessed
from gapnet.evaluation.formats.coco import read_coco_guesses, write_coco
from tests.evaluation.formats.guessed import KEY, refused

RESULT = {"image_id": "a", "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.5}


def write(folder: Path, *results: object) -> Path:
    path = folder / "guesses.json"
    path.write_text(json.dumps(results))
    return path


def test_guesses_are_in_the_order_of_their_scores(tmp_path: Path) -> None:
    path = write(tmp_path, RESULT, RESULT | {"category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.9})
    found = read_coco_guesses(path, KEY)
    assert found[0] == Guessed("val/a.JPEG", [2, 0], [(1, 2, 3, 5), (0, 0, 9, 9)], [0.9, 0.5])
    assert found[1:] == [Guessed("val/c.JPEG", [], []), Guessed("val/b.JPEG", [], [])]


def test_guesses_of_equal_scores_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, *(RESULT | {"category_id": label} for label in (2, 3, 1, 2)))
    assert read_coco_guesses(path, KEY)[0].labels == [1, 2, 0, 1]


@pytest.mark.parametrize("scores", [None, [0.25, 0.5, 0.5], [0.5, 0.25, 0.75]])
def test_scores_that_do_not_fall_give_way_to_the_ranks(
    tmp_path: Path, scores: list[float] | None
) -> None:
    guessed = Guessed("val/a.JPEG", [2, 0, 1], [(0, 0, 9, 9)] * 3, scores)
    path = tmp_path / "guesses.json"
    write_coco([guessed], KEY, path)
    assert read_coco_guesses(path, KEY)[0] == guessed._replace(scores=[1, 1 / 2, 1 / 3])


def test_scores_that_fall_are_kept(tmp_path: Path) -> None:
    guessed = Guessed("val/a.JPEG", [2, 0], [(0, 0, 9, 9)] * 2, [0.5, 0.1])
    write_coco([guessed], KEY, tmp_path / "guesses.json")
    assert read_coco_guesses(tmp_path / "guesses.json", KEY)[0] == guessed


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"score": None}, ["score=None: "]),
        ({"score": "high"}, ["score=high: "]),
        ({"score": float("nan")}, ["[nan]"]),
        ({"bbox": [0, 0, 9]}, ["bbox=[0, 0, 9]"]),
        ({"bbox": "0 0 9 9"}, ["bbox=0 0 9 9"]),
        ({"bbox": [0, 0, float("inf"), 9]}, ["inf"]),
        ({"bbox": [0, 0, 1e39, 9]}, ["1e+39"]),
        ({"bbox": [True, 0, 9, 9]}, ["bbox=[True, 0, 9, 9]"]),
        ({"score": 1e39}, ["[1e+39]"]),
        ({"bbox": [5, 0, -3, 9]}, ["bbox=[5, 0, -3, 9]: "]),
        ({"bbox": [5, 0, 3, 0]}, ["bbox=[5, 0, 3, 0]: "]),
        ({"category_id": 0}, ["category_id=0: "]),
        ({"category_id": 4}, ["category_id=4: "]),
        ({"category_id": "n01"}, ["category_id=n01: "]),
        ({"category_id": True}, ["category_id=true: "]),
        ({"image_id": 7}, ["'7'"]),
    ],
)
def test_a_result_that_makes_no_sense_is_named(
    tmp_path: Path, change: dict[str, object], parts: list[str]
) -> None:
    path = write(tmp_path, RESULT, RESULT | change)
    refused(read_coco_guesses, path, KEY, f"{path}, result 1: ", *parts)


@pytest.mark.parametrize("key", list(RESULT))
def test_a_result_that_lacks_something_is_named(tmp_path: Path, key: str) -> None:
    path = write(tmp_path, {name: value for name, value in RESULT.items() if name != key})
    refused(read_coco_guesses, path, KEY, "result 0", "image_id, category_id, bbox, score")


def test_six_guesses_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, *[RESULT] * 6)
    refused(read_coco_guesses, path, KEY, "val/a.JPEG", " 6 guesses")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "JSON"),
        ("[{]", "JSON"),
        ("[" * 100_000, "JSON"),
        ('{"annotations": []}', "dict"),
        ("3", "int"),
        ("[[]]", "result 0"),
    ],
)
def test_what_is_no_list_of_results_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "guesses.json"
    path.write_text(text)
    refused(read_coco_guesses, path, KEY, part)
