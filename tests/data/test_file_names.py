import os
import random
from pathlib import Path

import pytest

from gapnet.data.file_names import check_split, file_name
from tests.refusals import refused

HOSTILE = [
    *("../h.jpg", "/abs/h.jpg", "..", ".", "", "/", "a//b", "a/../../b", "a\0b", "a\nb", "..."),
    *("%2E%2E/h.jpg", "%", "a\\..\\b", "\x1b[31mx", "x" * 300, "é" * 200, "\u202egpj.exe"),
]


@pytest.mark.parametrize("identity", HOSTILE)
def test_a_file_of_any_id_stays_in_its_folder(identity: str, tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    path = folder / f"{file_name(identity)}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert Path(os.path.normpath(path)).is_relative_to(folder)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_ids_that_differ_have_names_that_differ() -> None:
    many = [*HOSTILE, "x" * 301, "x" * 179, "é" * 201, "%/abs/h.jpg", "a%0Ab"]
    assert len({file_name(identity) for identity in many}) == len(many)


def test_any_two_ids_have_different_names() -> None:
    rng = random.Random(0)
    letters = "a./%\\25E é\0\n\ud800"
    texts = {"".join(rng.choices(letters, k=rng.randrange(9))) for _ in range(5000)}
    texts |= {"", "%", "..", "%2E%2E"}
    assert len({file_name(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("identity", ["n01/n01_1.JPEG", "ILSVRC2012_val_00000001", "Bär ß.jpg"])
def test_ordinary_ids_stay_as_they_are(identity: str) -> None:
    assert file_name(identity) == identity


@pytest.mark.parametrize("split", ["..", "../x", "/x", "a/../..", "", "a\nb"])
def test_a_split_that_leaves_its_folder_is_refused(split: str) -> None:
    with refused(f"split={split!r}"):
        check_split(split)
