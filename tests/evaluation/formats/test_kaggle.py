from pathlib import Path

import pytest

from gapnet.evaluation.formats.base import Guessed, Key
from gapnet.evaluation.formats.kaggle import read_kaggle, write_kaggle
from tests.evaluation.formats.guessed import KEY, refused

HEADER = "ImageId,PredictionString"
ROWS = ["val/a.JPEG,n03 0 0 9 9 n01 1 1 5 5", "val/c.JPEG,", "val/b.JPEG,n02 2 2 4 4"]
EXPECTED = [
    Guessed("val/a.JPEG", [2, 0], [(0, 0, 9, 9), (1, 1, 5, 5)]),
    Guessed("val/c.JPEG", [], []),
    Guessed("val/b.JPEG", [1], [(2, 2, 4, 4)]),
]


def write(folder: Path, *rows: str) -> Path:
    path = folder / "guesses.csv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1]])
def test_rows_come_in_any_order(tmp_path: Path, rows: list[str]) -> None:
    assert read_kaggle(write(tmp_path, HEADER, *rows), KEY) == EXPECTED


@pytest.mark.parametrize("suffix", ["", ".jpg", ".png"])
def test_images_are_found_by_their_bare_names(tmp_path: Path, suffix: str) -> None:
    rows = [row.removeprefix("val/").replace(".JPEG", suffix) for row in ROWS]
    assert read_kaggle(write(tmp_path, HEADER, *rows), KEY) == EXPECTED


def test_a_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *ROWS)
    write_kaggle(read_kaggle(path, KEY), KEY, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("b," + "n02 0 0 9 9 " * 6, ["has 6 guesses; at most 5 count"]),
        ("b,n02 0 0 9", ["has 4 fields; a guess has five"]),
        ("b,n02 5 0 3 9", ["box [5.0, 0.0, 3.0, 9.0]", "must not end before it begins"]),
        ("b,n02 0 0 nan 9", ["box [0.0, 0.0, nan, 9.0] must have finite numbers"]),
        ("b,n02 0 0 -inf 9", ["box [0.0, 0.0, -inf, 9.0] must have finite numbers"]),
        ("b,n02 0 0 9 x", ["'x'"]),
        ("b,n09 0 0 9 9", ["class 'n09'"]),
        ("b,2 0 0 9 9", ["class '2'"]),
        ("d,n02 0 0 9 9", ["'d' is not an image"]),
        ("a,n02 0 0 9 9", ["image val/a.JPEG is listed twice"]),
        ("b", ["has 1 columns, not ImageId,PredictionString"]),
        ("b,n02,0,0,9,9", ["has 6 columns, not ImageId,PredictionString"]),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path: Path, row: str, parts: list[str]) -> None:
    path = write(tmp_path, HEADER, *ROWS[:2], row)
    refused(read_kaggle, path, KEY, f"{path}, line 4: ", *parts)


@pytest.mark.parametrize(("count", "first"), [(0, "val/a.JPEG"), (1, "val/c.JPEG")])
def test_missing_images_are_counted(tmp_path: Path, count: int, first: str) -> None:
    path = write(tmp_path, HEADER, *ROWS[:count])
    refused(read_kaggle, path, KEY, f" {3 - count} of 3 images", first)


def test_a_bare_name_that_two_images_share_is_refused(tmp_path: Path) -> None:
    key = Key(["cat/a.JPEG", "dog/a.JPEG"], KEY.classes)
    path = write(tmp_path, HEADER, "a,n02 0 0 9 9", "dog/a.JPEG,n02 0 0 9 9")
    refused(read_kaggle, path, key, "line 2", "'a'", " 2 images")
