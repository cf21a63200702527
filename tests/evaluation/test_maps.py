import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError
from gapnet.evaluation.external_maps import Maps, box_maps, find_maps, read_map
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.saliency.cam.cam import Cam
from tests.oracles.regions import cam_box
from tests.refusals import refused

LOCALIZER = Localizer(Cam(), ThresholdBoxer(cut=0.3, cuts=4), OnePerClass())
SIZES = [(20, 31), (17, 12), (9, 9), (24, 24), (13, 40)]


HEADER = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': %b}\n"


def draw_maps(folder: Path, *, dtype: str = "float32") -> tuple[Maps, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    arrays = [(rng.normal(size=(4, 5)) * 9).astype(dtype) for _ in SIZES]
    records = [
        Record(f"image{place}", Path("x.jpg"), 0, torch.tensor([[0.0, 0.0, 5.0, 5.0]]))
        for place in range(len(SIZES))
    ]
    for record, array in zip(records, arrays, strict=True):
        np.save(folder / f"{record.id}.npy", array)
    paths = find_maps(folder, [record.id for record in records])
    return Maps(paths, Records.of(records, Path()), torch.tensor(SIZES)), arrays


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8"])
def test_boxes_are_those_of_the_maps_over_the_whole_image(tmp_path: Path, dtype: str) -> None:
    maps, arrays = draw_maps(tmp_path, dtype=dtype)
    for row, array, size in zip(box_maps(maps, LOCALIZER, workers=0), arrays, SIZES, strict=True):
        assert row.known_box == list(cam_box(array.astype(np.float64), size, cut=0.3))
        assert (row.height, row.width) == size
        assert (row.window, row.grid) == ([0.0, 0.0, size[1], size[0]], size)
        assert row.guess_labels == row.classes == []


def test_processes_box_as_one_does(tmp_path: Path) -> None:
    maps, _ = draw_maps(tmp_path)
    alone, shared = (list(box_maps(maps, LOCALIZER, workers=count)) for count in (0, 2))
    for one, other in zip(alone, shared, strict=True):
        assert (one.id, one.known_box) == (other.id, other.known_box)
        assert np.array_equal(one.swept_boxes, other.swept_boxes)


@pytest.mark.parametrize("name", ["cat/a.jpg.npy", "cat/a.npy", "a.npy"])
def test_maps_are_found_with_and_without_folder_and_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / name).touch()
    assert find_maps(tmp_path, ["cat/a.jpg"]) == [tmp_path / name]


@pytest.mark.parametrize("folder", ["", "test"])
@pytest.mark.parametrize("identity", ["test/0bt/a.jpg", "test/a.jpg"])
def test_ids_that_begin_with_the_split_are_found_from_above_and_from_inside(
    tmp_path: Path, folder: str, identity: str
) -> None:
    path = (tmp_path / identity).with_suffix(".npy")
    path.parent.mkdir(parents=True)
    path.touch()
    assert find_maps(tmp_path / folder, [identity], split="test") == [path]


def test_a_folder_named_like_the_split_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "test" / "cat").mkdir(parents=True)
    (tmp_path / "test" / "cat" / "a.npy").touch()
    ids = ["cat/a.jpg"]
    assert find_maps(tmp_path, ids, split="test") == [tmp_path / "test/cat/a.npy"]


@pytest.mark.parametrize("other", ["a.npy", "test/test/a.npy"])
def test_maps_of_an_image_in_two_places_are_refused(tmp_path: Path, other: str) -> None:
    (tmp_path / "test" / "test").mkdir(parents=True)
    for name in ("test/a.npy", other):
        (tmp_path / name).touch()
    with pytest.raises(GapnetError, match=r"image test/a\.jpg: "):
        find_maps(tmp_path, ["test/a.jpg"], split="test")


def test_a_dot_within_an_id_is_no_suffix(tmp_path: Path) -> None:
    (tmp_path / "v1.npy").touch()
    (tmp_path / "v1.0.npy").touch()
    assert find_maps(tmp_path, ["v1.0"]) == [tmp_path / "v1.0.npy"]


def test_missing_maps_are_counted(tmp_path: Path) -> None:
    (tmp_path / "b.npy").touch()
    with refused(tmp_path, 2, 3, "a.npy"):
        find_maps(tmp_path, ["a", "b", "c"])


def test_a_map_that_two_images_would_share_is_that_of_one(tmp_path: Path) -> None:
    (tmp_path / "a.npy").touch()
    with refused(tmp_path, 1, 2, "cat/a.jpg.npy"):
        find_maps(tmp_path, ["cat/a.jpg", "dog/a.jpg"])


@pytest.mark.parametrize(
    ("array", "parts"),
    [
        (np.zeros((1, 4, 4)), ["float64", "(1, 4, 4)"]),
        (np.zeros(4), ["float64", "(4,)"]),
        (np.zeros((0, 4)), ["float64", "(0, 4)"]),
        (np.zeros((2, 2), complex), ["complex128"]),
        (np.array([["a", "b"]]), ["<U1"]),
        (np.array([[0, np.nan]]), ["NaN"]),
        (np.array([[0, -np.inf]], np.float16), ["infinite"]),
        (np.array([[0, 1e300]]), ["3.4e38"]),
        (np.array([[0, None]]), ["Object arrays"]),
        (b"", []),
        (b"\x93NUMPY", []),
        (HEADER % b"(99999999, 99999999)", []),
        (HEADER % b"(2, 2", []),
        (HEADER % b"(2, \0)", []),
        (HEADER % b"(-1, -1)", []),
        (b"P5 2 2 255 1234", []),
        ({"a": np.zeros((2, 2))}, []),
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, array: object, parts: list[str]) -> None:
    path = tmp_path / "a.npy"
    if isinstance(array, bytes):
        path.write_bytes(array)
    elif isinstance(array, dict):
        with path.open("wb") as file:
            np.savez(file, **array)
    else:
        np.save(path, array)
    with pytest.raises(GapnetError, match=f"^{re.escape(str(path))}: ") as error:
        read_map(path)
    assert all(part in str(error.value) for part in parts)


def test_a_map_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((8, 8)))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(GapnetError, match=r"^/.*\.npy: "):
        read_map(path)
