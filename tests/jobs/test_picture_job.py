"""Explaining the pictures that a user names: interruptions, repetitions, unreadable files."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gapnet
from gapnet.explanations.explain import explain_by_methods
from gapnet.explanations.figures import figure_path
from gapnet.jobs import picture_job as module
from gapnet.jobs.picture_job import PictureJob, predict_pictures
from gapnet.models import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import save
from tests.refusals import refused

NAMES = [f"photos/{number}.png" for number in range(4)]


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save a network and four pictures in the current folder."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    save(gapnet.create_model("tiny_gap", 3, input_size=48), tmp_path / "net")
    (tmp_path / "photos").mkdir()
    generator = np.random.default_rng(0)
    for name in NAMES:
        Image.fromarray(generator.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(name)
    return tmp_path / "photos"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record how many images each forward pass has."""
    sizes: list[int] = []
    look = GapNet.forward_parts

    def counted(network: GapNet, images: torch.Tensor) -> object:
        sizes.append(len(images))
        return look(network, images)

    monkeypatch.setattr(GapNet, "forward_parts", counted)
    return sizes


def job(*images: str, **options: object) -> PictureJob:
    network = NetworkChoice(Path("net"))
    return PictureJob(images or ("photos",), Path("explained"), network, **options)


def table() -> list[str]:
    with Path("explained/boxes.csv").open(newline="") as file:
        return [row["image"] for row in csv.DictReader(file)]


def test_several_methods_share_one_forward_pass(passes: list[int]) -> None:
    results = predict_pictures(job(methods=("cam", "grad_cam", "grad_cam_plus_plus")))
    assert passes == [4]
    assert [row.method for row in results.rows[:3]] == ["cam", "grad_cam", "grad_cam_plus_plus"]


def test_methods_together_give_the_maps_of_each_alone() -> None:
    network = gapnet.load("net")
    (together,) = explain_by_methods(network, NAMES[:1], methods=["cam", "gradient"], top=2)
    for method, seen in zip(["cam", "gradient"], together, strict=True):
        (alone,) = gapnet.explain(network, NAMES[0], method=method, top=2)
        np.testing.assert_array_equal(seen.maps, alone.maps)
        np.testing.assert_array_equal(seen.boxes, alone.boxes)


def test_an_unreadable_picture_is_named_and_the_others_are_written() -> None:
    Path(NAMES[1]).write_bytes(b"no picture")
    results = predict_pictures(job())
    assert table() == [NAMES[0], *NAMES[2:]]
    with refused("1", NAMES[1]):
        results.check()
    Image.new("RGB", (9, 9)).save(NAMES[1])
    predict_pictures(job()).check()
    assert table() == NAMES


def test_without_any_readable_picture_nothing_is_written() -> None:
    Path(NAMES[0]).write_bytes(b"no picture")
    with refused(NAMES[0]):
        predict_pictures(job(NAMES[0]))
    assert not Path("explained").exists()


def interrupt_at(count: int, patch: pytest.MonkeyPatch) -> None:
    drawn = iter(range(count))
    draw = module.draw_figure

    def stop(*arguments: object, **options: object) -> Image.Image:
        if next(drawn, None) is None:
            raise KeyboardInterrupt
        return draw(*arguments, **options)

    patch.setattr(module, "draw_figure", stop)


def test_an_interrupted_job_writes_its_table_and_is_continued(passes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt_at(3, patch)
        with pytest.raises(KeyboardInterrupt):
            predict_pictures(job(batch_size=2))
    assert table() == NAMES[:3]
    passes.clear()
    results = predict_pictures(job(batch_size=2))
    assert results.finished_before == 3
    assert passes == [1]
    assert table() == NAMES


def changed_picture() -> None:
    Image.new("RGB", (40, 30)).save(NAMES[0])


def lost_overlay() -> None:
    Path("explained", f"{NAMES[0]}.cam.jpg").unlink()


def changed_network() -> None:
    os.utime("net/model.safetensors", ns=(1, 1))


def cut_file() -> None:
    path = Path("explained/finished.jsonl")
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (None, {}, 0),
        (None, {"format": "coco"}, 0),
        (None, {"top": 2}, 4),
        (None, {"boxer": "wsol"}, 4),
        (changed_picture, {}, 1),
        (lost_overlay, {}, 1),
        (changed_network, {}, 4),
        (cut_file, {}, 1),
    ],
)
def test_a_repeated_job_explains_what_has_changed(
    passes: list[int], change, options: dict, expected: int
) -> None:
    first = predict_pictures(job())
    passes.clear()
    if change is not None:
        change()
    second = predict_pictures(job(**options))
    assert sum(passes) == expected
    if change is not changed_picture and not options:
        assert second.rows == first.rows


def test_a_repeated_job_leaves_out_its_own_pictures() -> None:
    predict_pictures(job("."))
    assert len(predict_pictures(job(".")).rows) == len(NAMES)


def test_a_damaged_list_of_finished_pictures_is_ignored() -> None:
    Path("explained").mkdir()
    Path("explained/finished.jsonl").write_text('[1]\nnull\n{"a":' * 10_000)
    predict_pictures(job())
    lines = Path("explained/finished.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines[1:]] == NAMES


def test_pictures_of_other_folders_get_other_paths(tmp_path: Path) -> None:
    names = ["a/x.jpg", "../a/x.jpg", "/a/x.jpg", "%/a/x.jpg", "../../a/x.jpg", "a/x.png"]
    paths = {figure_path(Path("out"), name, figure="overlay", methods=["cam"]) for name in names}
    assert len(paths) == len(names)
    assert all(Path("out") in path.parents and ".." not in path.parts for path in paths)
    absolute = str(tmp_path / "a" / "x.jpg")
    assert figure_path(Path("out"), absolute, figure="top", methods=[]) == Path(
        "out/a/x.jpg.top.jpg"
    )
