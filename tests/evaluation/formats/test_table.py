from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnet.evaluation.formats.base import Guessed
from gapnet.evaluation.formats.table import read_csv_guesses, read_parquet_guesses, write_csv
from tests.evaluation.formats.guessed import KEY, refused

HEADER = "image,rank,class,xmin,ymin,xmax,ymax,score"
ROWS = [
    "val/a.JPEG,1,n03,0,0,9,9,0.5",
    "val/a.JPEG,2,n01,1,1,5,5,0.25",
    "val/c.JPEG,,,,,,,",
    "val/b.JPEG,1,n02,2,2,4,4,1",
]
EXPECTED = [
    Guessed("val/a.JPEG", [2, 0], [(0, 0, 9, 9), (1, 1, 5, 5)], [0.5, 0.25]),
    Guessed("val/c.JPEG", [], [], []),
    Guessed("val/b.JPEG", [1], [(2, 2, 4, 4)], [1.0]),
]


def write(folder: Path, *rows: str) -> Path:
    path = folder / "guesses.csv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1]])
def test_rows_come_in_any_order(tmp_path: Path, rows: list[str]) -> None:
    assert read_csv_guesses(write(tmp_path, HEADER, *rows), KEY) == EXPECTED


def test_a_table_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *ROWS)
    write_csv(read_csv_guesses(path, KEY), KEY, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_columns_are_found_by_their_names_and_score_may_be_left_out(tmp_path: Path) -> None:
    told = [
        "more,class,image,ymax,xmax,ymin,xmin,rank",
        "x,n03,a,9,8,1,0,1",
        "x,,b,,,,,",
        "x,,c,,,,,",
    ]
    assert read_csv_guesses(write(tmp_path, *told), KEY)[0] == Guessed(
        "val/a.JPEG", [2], [(0, 1, 8, 9)], None
    )


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert read_csv_guesses(write(tmp_path, "\ufeff" + HEADER, *ROWS), KEY) == EXPECTED


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("b,1,n02,5,0,3,9,1", ["box [5.0, 0.0, 3.0, 9.0]", "must not end before it begins"]),
        ("b,1,n02,nan,0,3,9,1", ["box [nan, 0.0, 3.0, 9.0] must have finite numbers"]),
        ("b,1,n02,0,0,3,inf,1", ["box [0.0, 0.0, 3.0, inf] must have finite numbers"]),
        ("b,1,n02,0,0,3,9,nan", ["scores [nan] must be finite numbers"]),
        ("b,1,n02,,0,3,9,1", ["''"]),
        ("b,1,,0,0,3,9,1", ["class ''"]),
        ("b,1,n09,0,0,3,9,1", ["class 'n09'"]),
        ("b,one,n02,0,0,3,9,1", ["'one'"]),
        ("b,0,n02,0,0,3,9,1", ["val/b.JPEG", "ranks 0,"]),
        ("b,2,n02,0,0,3,9,1", ["val/b.JPEG", "ranks 2,"]),
        ("b,1.5,n02,0,0,3,9,1", ["val/b.JPEG", "ranks 1.5,"]),
        ("d,1,n02,0,0,3,9,1", ["'d'"]),
        ("b,1", ["as many fields"]),
        ("b,1,n02,0,0,3,9,1,7", ["as many fields"]),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path: Path, row: str, parts: list[str]) -> None:
    path = write(tmp_path, HEADER, *ROWS[:3], row)
    refused(read_csv_guesses, path, KEY, f"{path}, line 5: ", *parts)


def test_a_rank_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *ROWS, ROWS[1])
    refused(read_csv_guesses, path, KEY, "val/a.JPEG", "ranks 1, 2, 2,")


def test_six_guesses_are_refused(tmp_path: Path) -> None:
    six = [f"b,{rank},n02,0,0,3,9,1" for rank in range(1, 7)]
    path = write(tmp_path, HEADER, *ROWS[:3], *six)
    refused(read_csv_guesses, path, KEY, "line 5", " 6 guesses")


def test_missing_images_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, ROWS[0])
    refused(read_csv_guesses, path, KEY, " 2 of 3 images", "val/c.JPEG")


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("image,rank,class,xmin,ymin,xmax,score", "ymax"),
        ("id,rank,class,xmin,ymin,xmax,ymax", "image"),
        ("val/a.JPEG,1,n03,0,0,9,9,0.5", "image"),
        ("ImageId;PredictionString", "image"),
        ("", "image"),
    ],
)
def test_a_column_that_lacks_is_named(tmp_path: Path, header: str, lacking: str) -> None:
    path = write(tmp_path, header, ROWS[0])
    refused(
        read_csv_guesses,
        path,
        KEY,
        f" {lacking}",
        "image,rank",
    )


COLUMNS = {
    "image": ["a", "a", "b", "c"],
    "rank": pa.array([2, 1, 1, None], pa.int8()),
    "class": ["n01", "n03", "n02", None],
    "xmin": pa.array([1, 0, 2, None], pa.float32()),
    "ymin": [1, 0, 2, None],
    "xmax": [5, 9, 4, None],
    "ymax": [5, 9, 4, None],
    "score": [0.25, 0.5, 1.0, None],
}


def test_parquet_has_the_same_columns_of_any_type(tmp_path: Path) -> None:
    path = tmp_path / "guesses.parquet"
    pq.write_table(pa.table(COLUMNS), path)
    assert read_parquet_guesses(path, KEY) == EXPECTED


def test_a_row_of_parquet_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    path = tmp_path / "guesses.parquet"
    pq.write_table(pa.table(COLUMNS | {"class": ["n01", "n03", None, None]}), path)
    refused(read_parquet_guesses, path, KEY, "row 2: class ''")
    pq.write_table(pa.table(COLUMNS).drop_columns(["rank"]), path)
    refused(read_parquet_guesses, path, KEY, " rank")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no such thing at all", None])
def test_damaged_parquet_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "guesses.parquet"
    pq.write_table(pa.table(COLUMNS), path)
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    refused(read_parquet_guesses, path, KEY, "Parquet")
