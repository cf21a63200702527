"""Images with objects of several classes, in any layout."""

import logging
from pathlib import Path

import pytest

from gapnet.data.sources.csv_table import Csv
from tests.data.object_trees import table
from tests.refusals import refused

TEXT = """image,label,xmin,ymin,xmax,ymax
a.jpg,cat,0,0,3,3
a.jpg,dog,0,0,9,9
a.jpg,dog,1,1,2,2
b.jpg,dog,0,0,4,4
c.jpg,bird,,,,
c.jpg,ant,,,,
d.jpg,cat,5,5,6,6
d.jpg,bird,,,,
e.jpg,cat,0,0,4,1
e.jpg,dog,0,0,1,4
"""
CLASSES = ["ant", "bird", "cat", "dog"]


def labels(root: Path, several: str) -> dict[str, str]:
    records = Csv(table(root, TEXT), several=several).records("test")  # type: ignore[arg-type]
    return {record.id[0]: CLASSES[record.label] for record in records}


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        ("largest", {"a": "dog", "b": "dog", "c": "bird", "d": "cat", "e": "cat"}),
        ("first", {"a": "cat", "b": "dog", "c": "bird", "d": "cat", "e": "cat"}),
        ("skip", {"b": "dog"}),
        ("all", {"a": "dog", "b": "dog", "c": "bird", "d": "cat", "e": "cat"}),
    ],
)
def test_an_image_has_the_class_that_is_asked_for(
    tmp_path: Path, several: str, expected: dict[str, str]
) -> None:
    assert labels(tmp_path, several) == expected


def test_boxes_are_those_of_the_class(tmp_path: Path) -> None:
    records = Csv(table(tmp_path, TEXT)).records("test")
    assert [None if row.boxes is None else row.boxes.tolist() for row in records] == [
        [[0, 0, 9, 9], [1, 1, 2, 2]],
        [[0, 0, 4, 4]],
        None,
        [[5, 5, 6, 6]],
        [[0, 0, 4, 1]],
    ]


def test_all_classes_make_multi_label_data(tmp_path: Path) -> None:
    records = Csv(table(tmp_path, TEXT), several="all").records("test")
    assert records.multi_label
    assert [row.labels for row in records] == [(2, 3), (3,), (0, 1), (1, 2), (2, 3)]
    assert not Csv(tmp_path).records("test").multi_label


@pytest.mark.parametrize("several", ["largest", "skip"])
def test_such_images_are_counted_once_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, several: str
) -> None:
    caplog.set_level(logging.INFO)
    source = Csv(table(tmp_path, TEXT), several=several)  # type: ignore[arg-type]
    for _ in range(2):
        source.records("test")
    (line,) = (record.getMessage() for record in caplog.records if record.name.endswith("several"))
    assert "4 of 5" in line
    assert f"data.several={several}" in line


def test_another_rule_is_refused(tmp_path: Path) -> None:
    with refused("data.several=both"):
        labels(tmp_path, "both")


def test_data_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    table(tmp_path, "image,label\na.jpg,cat\na.jpg,dog\n")
    with refused("split 'all'", "data.several"):
        Csv(tmp_path, several="skip").records("test")


def test_classes_can_be_named(tmp_path: Path) -> None:
    source = Csv(table(tmp_path, TEXT), class_ids=["dog", "cat", "bird", "ant", "eel"])
    assert source.records("test").labels.tolist() == [0, 0, 2, 1, 1]
    with refused("a.jpg", "'cat'"):
        Csv(tmp_path, class_ids=["dog"]).records("test")
