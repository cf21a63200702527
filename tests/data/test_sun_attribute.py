"""SUN Attribute: three MATLAB files, and images."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gapnet.data.sources.sun_attribute import SunAttribute
from tests.refusals import refused

VOTES = np.array([[1, 0, 2 / 3], [1 / 3, 0, 0], [0, 1, 1 / 3], [0, 2 / 3, 2 / 3]])


def cells(*texts: str) -> np.ndarray:
    return np.array([[text] for text in texts], dtype=object)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    savemat(tmp_path / "attributes.mat", {"attributes": cells("sailing", "dry", "natural light")})
    images = cells(*(f"a/abbey/sun_{letter}.jpg" for letter in "abcd"))
    savemat(tmp_path / "images.mat", {"images": images})
    savemat(tmp_path / "attributeLabels_continuous.mat", {"labels_cv": VOTES})
    return tmp_path


def test_an_image_has_the_attributes_of_two_votes_of_three(root: Path) -> None:
    source = SunAttribute(root)
    assert source.classes == ["sailing", "dry", "natural light"]
    records = {row.id: row for split in ("train", "test") for row in source.records(split)}
    labels = {identity[-5]: row.labels for identity, row in records.items()}
    assert labels == {"a": (0, 2), "b": (), "c": (1,), "d": (1, 2)}
    assert records["a/abbey/sun_a.jpg"].path == root / "images/a/abbey/sun_a.jpg"


def test_a_draw_is_always_the_same_and_others_differ(root: Path) -> None:
    splits = [SunAttribute(root, draw=draw).records("train").ids for draw in (0, 0, 1, 2, 3)]
    assert splits[0] == splits[1]
    assert len({tuple(ids) for ids in splits}) > 1
    assert all(len(ids) == 2 for ids in splits)


def test_files_that_do_not_belong_together_are_one_line(root: Path) -> None:
    path = root / "attributeLabels_continuous.mat"
    savemat(path, {"labels_cv": VOTES[:3]})
    with refused(path, 4, 3):
        SunAttribute(root)
    path.write_bytes(b"none")
    with refused(path):
        SunAttribute(root)
    with refused(f"data.root={root / 'x'}", "SUN Attribute"):
        SunAttribute(root / "x")
    with refused("data.train=1"):
        SunAttribute(root, train=1)
