"""Readers of images that have a concept: by captions, and in two folders."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.sources.captions import Captions, words_of
from gapnet.data.sources.positives import Positives
from tests.refusals import refused

WITH = ["A Mirror in lake, at dawn", "mirror in lake", 'so "mirror in lake"', "Mirror in Lake!"]
NEAR = ["a lake", "mirror of the lake", "my mirror in the bath", "in lakes"]
WITHOUT = ["a dog in the park", "view out of window", "two cats", "in the mirrors", "sky"]


def write_captions(root: Path, lines: list[str]) -> Path:
    with (root / "captions.csv").open("w", newline="") as file:
        rows = [(f"{number}.jpg", line) for number, line in enumerate(lines)]
        csv.writer(file).writerows([("image", "caption"), *rows])
    return root


def by_class(source: Captions) -> tuple[set[str], set[str]]:
    records = [*source.records("train"), *source.records("test")]
    others, positives = ({row.id for row in records if row.label == label} for label in (0, 1))
    return others, positives


def images(start: int, count: int) -> set[str]:
    return {f"{number}.jpg" for number in range(start, start + count)}


def test_positives_have_the_phrase_and_negatives_none_of_its_words(tmp_path: Path) -> None:
    source = Captions(write_captions(tmp_path, WITH + NEAR + WITHOUT), phrase="mirror in lake")
    assert source.classes == ["other", "mirror in lake"]
    others, positives = by_class(source)
    assert positives == images(0, 4)
    assert others == {"7.jpg"} | images(8, 5)  # lakes and mirrors are other words


def test_all_without_the_phrase_are_negatives_on_request(tmp_path: Path) -> None:
    root = write_captions(tmp_path, WITH + NEAR + WITHOUT)
    source = Captions(root, phrase="MIRROR in lake", without="phrase")
    assert by_class(source) == (images(4, 9), images(0, 4))


def test_one_of_several_captions_of_an_image_is_enough(tmp_path: Path) -> None:
    write_captions(tmp_path, [*WITH, *WITHOUT, "a road"])
    with (tmp_path / "captions.csv").open("a") as file:
        file.write("8.jpg,mirror in lake\n7.jpg,the lake\n")
    others, positives = by_class(Captions(tmp_path, phrase="mirror in lake"))
    assert positives == images(0, 4) | {"8.jpg"}
    assert others == images(4, 3) | {"9.jpg"}  # a caption of 7 has one of the words


def test_words_are_those_of_any_alphabet() -> None:
    assert words_of("Don't; l\u2019\u00c9t\u00e9_3!") == ("don't", "l\u2019\u00e9t\u00e9", "3")


@pytest.mark.parametrize(
    ("phrase", "parts"),
    [
        ("unicorn", ["data.phrase='unicorn'", 0, "captions.csv"]),
        ("dog", ["data.phrase='dog'", 1]),
        ("!", ["data.phrase=!"]),
        (None, ["data.phrase=null"]),
    ],
)
def test_a_phrase_of_too_few_images_is_one_line(
    tmp_path: Path, phrase: str | None, parts: list
) -> None:
    with refused(*parts):
        Captions(write_captions(tmp_path, WITH + WITHOUT), phrase=phrase)


def test_a_phrase_that_leaves_no_negatives_is_one_line(tmp_path: Path) -> None:
    with refused("data.phrase='mirror in lake'", 1):
        Captions(write_captions(tmp_path, [*WITH, *NEAR[:3], "cat"]), phrase="mirror in lake")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("image,text\na,b\n", ["line 1", "image,caption"]),
        ("image,caption\na.jpg,one, two\n", ["line 2"]),
        ("image,caption\n../a.jpg,one\n", ["line 2", "'../a.jpg'"]),
        ("", ["line 1"]),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, text: str, parts: list) -> None:
    (tmp_path / "c.csv").write_text(text)
    with refused(tmp_path / "c.csv", *parts):
        Captions(tmp_path, table=tmp_path / "c.csv", phrase="one")
    with refused(tmp_path / "captions.csv"):
        Captions(tmp_path, phrase="one")


def write_images(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (4, 4)).save(folder / f"{number}.png")
    return folder


def test_two_folders_are_two_classes(tmp_path: Path) -> None:
    root, others = write_images(tmp_path / "text", 4), write_images(tmp_path / "outdoor", 6)
    write_images(root / "signs", 4)
    source = Positives(root, negatives=others, held_out=2)
    assert source.classes == ["other", "text"]
    assert (len(source.records("train")), len(source.records("test"))) == (10, 4)
    assert {row.id for row in source.records("train")} & {"+/signs/0.png", "+/signs/1.png"}


def test_negatives_inside_the_positives_are_no_positives(tmp_path: Path) -> None:
    root = write_images(tmp_path / "all", 4)
    source = Positives(root, negatives=write_images(root / "others", 4), name="text")
    counts = [*source.records("train").labels.tolist(), *source.records("test").labels.tolist()]
    assert sorted(counts) == [0] * 4 + [1] * 4


def test_wrong_folders_are_one_line(tmp_path: Path) -> None:
    root = write_images(tmp_path / "text", 4)
    with refused("data.negatives=null"):
        Positives(root)
    with refused("data.negatives", tmp_path / "x"):
        Positives(root, negatives=tmp_path / "x")
    with refused(f"data.negatives={root}"):
        Positives(root, negatives=root)
    with refused("data.negatives", 1):
        Positives(root, negatives=write_images(tmp_path / "few", 1))
    with refused("data.held_out=0"):
        Positives(root, negatives=tmp_path / "few", held_out=0)
