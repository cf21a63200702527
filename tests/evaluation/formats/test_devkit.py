from dataclasses import replace
from pathlib import Path

import pytest

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Guessed
from gapnet.evaluation.formats.devkit import read_devkit, write_devkit
from tests.evaluation.formats.guessed import KEY, refused

LINES = ["1 0 0 9 9 2 1 1 5 5", "3 2 2 4 4", "0 0 0 0 0"]


def write(folder: Path, *lines: str) -> Path:
    path = folder / "guesses.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_lines_are_in_the_order_of_file_names_and_labels_are_the_devkit_s(tmp_path: Path) -> None:
    assert read_devkit(write(tmp_path, *LINES), KEY) == [
        Guessed("val/a.JPEG", [2, 0], [(0, 0, 9, 9), (1, 1, 5, 5)]),
        Guessed("val/c.JPEG", [], []),
        Guessed("val/b.JPEG", [1], [(2, 2, 4, 4)]),
    ]


def test_images_whose_files_are_named_alike_keep_their_lines(tmp_path: Path) -> None:
    ids = ["b/1.jpg", "a/1.jpg", "a/2.jpg"]
    guesses = [Guessed(each, [place], [(0, 0, 1, 1)]) for place, each in enumerate(ids)]
    write_devkit(guesses, replace(KEY, ids=sorted(ids)), tmp_path / "guesses.txt")
    assert read_devkit(tmp_path / "guesses.txt", replace(KEY, ids=ids)) == guesses


def test_a_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    write_devkit(read_devkit(path, KEY), KEY, tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("padding", ["", "0 0 0 0 0", "0 0 0 0 0 " * 4])
def test_zeros_at_the_end_of_a_line_and_empty_lines_are_no_guess(
    tmp_path: Path, padding: str
) -> None:
    path = write(tmp_path, LINES[0], f"{LINES[1]} {padding}", padding)
    assert read_devkit(path, KEY) == read_devkit(write(tmp_path, *LINES), KEY)


def test_every_image_has_a_line_that_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "guesses.txt"
    write_devkit([Guessed(name, [], []) for name in KEY.ids], KEY, path)
    assert path.read_text() == "0 0 0 0 0\n" * 3


@pytest.mark.parametrize(("before", "after"), [("", "\r\n"), ("\ufeff", "\n"), ("", " \n")])
def test_files_of_other_systems_are_read(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "guesses.txt"
    path.write_bytes((before + "".join(line + after for line in LINES)).encode())
    assert read_devkit(path, KEY) == read_devkit(write(tmp_path, *LINES), KEY)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("1 0 0 9 9 " * 6, [" 6 guesses"]),
        ("1 0 0 9", [" 4 fields"]),
        ("1 5 0 3 9", ["[5.0, 0.0, 3.0, 9.0]", "xmin"]),
        ("1 0 5 9 3", ["[0.0, 5.0, 9.0, 3.0]", "ymin"]),
        ("1 0 nan 9 9", ["[0.0, nan, 9.0, 9.0]", "finite"]),
        ("1 0 0 inf 9", ["[0.0, 0.0, inf, 9.0]", "finite"]),
        ("1 0 0 9 x", ["'x'"]),
        ("0 0 0 0 0 1 0 0 9 9", ["label 0 "]),
        ("0 0 0 9 9", ["label 0 ", "1 to 3"]),
        ("4 0 0 9 9", ["label 4 ", "1 to 3"]),
        ("-1 0 0 9 9", ["label -1 ", "1 to 3"]),
        ("1.5 0 0 9 9", ["label 1.5 ", "1 to 3"]),
        ("nan 0 0 9 9", ["label nan ", "1 to 3"]),
        ("n01440764 0 0 9 9", ["'n01440764'", "WordNet"]),
        ("cat 0 0 9 9", ["'cat'"]),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str, parts: list[str]) -> None:
    path = write(tmp_path, LINES[0], line, LINES[2])
    refused(read_devkit, path, KEY, f"{path}, line 2: ", *parts)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_lines_is_refused(tmp_path: Path, count: int) -> None:
    path = write(tmp_path, *[LINES[0]] * count)
    refused(read_devkit, path, KEY, f" {count} lines", " 3 images")


def test_labels_without_a_known_meaning_are_refused(tmp_path: Path) -> None:
    unknown = replace(KEY, numbers=None)
    path = write(tmp_path, *LINES)
    refused(read_devkit, path, unknown, "meta_clsloc.mat", "synsets=FILE", "labels=index")
    with pytest.raises(GapnetError, match="synsets=FILE"):
        write_devkit([], unknown, tmp_path / "new.txt")
    assert not (tmp_path / "new.txt").exists()
