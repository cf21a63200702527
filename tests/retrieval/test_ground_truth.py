"""Readers of the ground truth of retrieval benchmarks."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from gapnet.data import RetrievalImages
from gapnet.data.readers.retrieval_truth import read_revisited
from tests.refusals import refused
from tests.retrieval.benchmarks import (
    BOX,
    revisited_content,
    write_holidays,
    write_image,
    write_oxford,
    write_places,
    write_revisited,
)


def oxford(root: Path, **changes: Any) -> RetrievalImages:
    return RetrievalImages(root, **{"rules": "oxford", "ground_truth": "gt"} | changes)


def test_oxford_has_a_query_for_each_file(tmp_path: Path) -> None:
    source = oxford(write_oxford(tmp_path))
    first = source.truth.queries[0]
    assert (first.id, first.image, first.box) == ("blue_1", "blue_000000", BOX)
    assert first.groups["ok"] == {"blue_000002", "blue_000003"}
    assert source.records("query").ids == ["blue_1", "green_1", "red_1"]
    assert len(source.records("base")) == 15
    assert (source.train_split, source.test_split) == ("base", "query")


def test_a_query_is_its_box_unless_whole_images_are_asked_for(tmp_path: Path) -> None:
    write_oxford(tmp_path)
    parts = oxford(tmp_path).parts("query")
    assert parts == {"blue_1": BOX, "green_1": BOX, "red_1": BOX}
    assert oxford(tmp_path).parts("base") is None
    assert oxford(tmp_path, crop_queries=False).parts("query") is None


def test_the_base_of_the_revisited_sets_has_no_queries(tmp_path: Path) -> None:
    root = write_revisited(tmp_path)
    source = RetrievalImages(root, rules="revisited", ground_truth="gnd_roxford5k.pkl")
    assert source.records("query").ids == ["red_000000", "green_000000", "blue_000000"]
    assert len(source.records("base")) == 12
    groups = source.truth.queries[1].groups
    assert groups["easy"] == {"green_000001", "green_000002"}
    assert (groups["hard"], groups["junk"]) == ({"green_000003"}, {"green_000004"})


def test_the_names_of_holidays_are_its_ground_truth(tmp_path: Path) -> None:
    source = RetrievalImages(write_holidays(tmp_path), rules="holidays")
    assert source.records("query").ids == ["100000", "100100", "100200"]
    assert len(source.records("base")) == 9
    assert source.truth.queries[1].groups["same"] == {"100101", "100102"}
    assert source.parts("query") is None


def test_a_place_of_holidays_without_its_query_is_refused(tmp_path: Path) -> None:
    (write_holidays(tmp_path) / "100100.png").unlink()
    with refused(f"data.root={tmp_path}", "100101"):
        RetrievalImages(tmp_path, rules="holidays")
    write_image(tmp_path / "cat.png", (1, 2, 3), seed=0)
    with refused("cat"):
        RetrievalImages(tmp_path, rules="holidays")


def test_ground_truth_of_another_data_set_is_refused(tmp_path: Path) -> None:
    root = write_oxford(tmp_path)
    (root / "gt" / "red_1_ok.txt").write_text("paris_louvre_000001\n")
    with refused(f"data.root={root}", "paris_louvre_000001"):
        oxford(root)


@pytest.mark.parametrize(
    "line", ["", "oxc1_red_000000", "red_000000 1 2 3 x", "red_000000 9 9 1 1"]
)
def test_a_damaged_query_is_one_line(tmp_path: Path, line: str) -> None:
    path = write_oxford(tmp_path) / "gt" / "red_1_query.txt"
    path.write_text(line)
    with refused(path):
        oxford(tmp_path)


def test_missing_ground_truth_is_one_line(tmp_path: Path) -> None:
    write_places(tmp_path)
    with refused("data.ground_truth=", tmp_path / "gt"):
        oxford(tmp_path)
    with refused("data.ground_truth=", tmp_path / "red"):
        oxford(tmp_path, ground_truth="red")
    with refused(tmp_path / "gnd.pkl"):
        RetrievalImages(tmp_path, rules="revisited", ground_truth="gnd.pkl")
    with refused("data.ground_truth=None"):
        RetrievalImages(tmp_path, rules="revisited")


def changed(**changes: Any) -> dict[str, Any]:
    return revisited_content([f"red_{number:06d}" for number in range(5)]) | changes


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        changed(gnd=[]),
        changed(imlist=["a", "a"]),
        changed(
            qimlist="abc", gnd=[{"bbx": [1, 2, 3, 4], "easy": [99], "hard": [], "junk": []}] * 3
        ),
        changed(qimlist=["a"], gnd=[{"bbx": [0, 0, 1, 1], "easy": [-1], "hard": [], "junk": []}]),
        changed(qimlist=["a"], gnd=[{"bbx": [0, 0, 1, 1], "easy": [0.5], "hard": [], "junk": []}]),
        changed(qimlist=["a"], gnd=[{"bbx": [0, 0, 1, 1], "easy": [0], "hard": []}]),
    ],
)
def test_a_pickle_with_other_content_is_one_line(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "gnd.pkl"
    path.write_bytes(pickle.dumps(content))
    with refused(path):
        read_revisited(path)


def test_code_in_the_ground_truth_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    path = tmp_path / "gnd.pkl"
    path.write_bytes(pickle.dumps({"gnd": [Attack()], "imlist": [], "qimlist": ["a"]}))
    with refused(path, "mkdir"):
        read_revisited(path)
    assert not (tmp_path / "attacked").exists()
