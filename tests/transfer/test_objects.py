"""`gapnet objects` on drawn scenes, where it is known which object is informative."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gapnet.data.sources.masked_scenes import MaskedScenes
from gapnet.jobs.features import Extraction
from gapnet.jobs.job import Run
from gapnet.jobs.objects import ObjectsJob, find_objects
from gapnet.localization import Localizer, OnePerClass, ThresholdBoxer
from gapnet.models import create
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import save
from gapnet.saliency import Cam
from gapnet.transfer.layers import Layer
from gapnet.transfer.overlap import OverlapRule
from tests.refusals import refused
from tests.transfer.conftest import make_data, quiet_trainer, small_shapes

SIDE = 64
INFORMATIVE = {"bathroom": ("bathtub", 2, 0), "kitchen": ("stove", 3, 1), "yard": ("tree", 4, 2)}
NAMES = {1: "wall", 2: "bathtub", 3: "stove", 4: "tree", 5: "lamp"}
Go = Callable[..., Path]


def write_scenes(root: Path, images: int = 16) -> Path:
    """Write scenes: a wall everywhere, a grey lamp in all images, and an object of its colour."""
    rng = np.random.default_rng(0)
    for scene, (_, value, channel) in INFORMATIVE.items():
        for folder in ("images", "masks"):
            (root / folder / scene).mkdir(parents=True)
        for number in range(images):
            pixels = rng.integers(60, 100, (48, SIDE, 3)).astype(np.uint8)
            mask = np.ones((48, SIDE), np.uint8)
            left, top = rng.integers(0, 2, 2)
            for index, (own, row) in enumerate(((value, top), (5, 1 - top))):
                column = left if index == 0 else 1 - left
                x, y = 4 + 34 * column, 2 + 24 * row
                mask[y : y + 20, x : x + 20] = own
                region = pixels[y : y + 20, x : x + 20]
                region[...] = 150
                if own == value:
                    region[...] = 0
                    region[..., channel] = 255
            Image.fromarray(pixels).save(root / "images" / scene / f"{number}.png")
            Image.fromarray(mask).save(root / "masks" / scene / f"{number}.png")
    lines = ["number,name", *(f"{number},{name}" for number, name in NAMES.items())]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("drawn") / "scenes")


@pytest.fixture(scope="module")
def finer_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finer")
    torch.manual_seed(3)
    save(create("tiny_gap", {"num_classes": 5, "input_size": SIDE, "width": 24}).eval(), folder)
    return folder / "model.safetensors"


@pytest.fixture(scope="module")
def go(scenes: Path, finer_network: Path, tmp_path_factory: pytest.TempPathFactory) -> Go:
    home = tmp_path_factory.mktemp("objects")

    def call(name: str, source: Any = None, **changes: Any) -> Path:
        job = ObjectsJob(
            run=Run(home / name, runs=home),
            network=NetworkChoice(finer_network),
            source=lambda: source or MaskedScenes(scenes),
            data=make_data,
            extraction=Extraction((Layer("gap"),), quiet_trainer),
            localizer=Localizer(Cam(), ThresholdBoxer(), OnePerClass(1)),
            rule=changes.pop("rule", OverlapRule(shown=3)),
            pictures=1,
            **changes,
        )
        assert find_objects(job)
        return job.run.folder

    return call


@pytest.fixture(scope="module")
def found(go: Go) -> Path:
    return go("found")


def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "objects.json").read_text())["scenes"]
    return content


@pytest.mark.parametrize("scene", INFORMATIVE)
def test_the_planted_object_is_the_most_informative(found: Path, scene: str) -> None:
    lists = summary(found)[scene]
    first, *others = lists["informative"]
    assert first["object"] == INFORMATIVE[scene][0]
    assert first["informative"] > 0.7
    assert all(thing["informative"] < first["informative"] for thing in others)
    assert {thing["object"] for thing in lists["frequent"]} == {
        "wall",
        "lamp",
        INFORMATIVE[scene][0],
    }


def test_the_table_has_counts_and_intervals(found: Path) -> None:
    rows = list(csv.DictReader((found / "objects.csv").read_text().splitlines()))
    assert len(rows) == 9
    for row in rows:
        assert (int(row["images"]), int(row["of"])) == (8, 8)
        low, value, high = (float(row[f"informative{end}"]) for end in ("_low", "", "_high"))
        assert low <= value == int(row["overlapping"]) / 8 <= high
    assert (found / "report.html").read_text().count("<figure") == 3
    (accuracy, *_) = json.loads((found / "metrics.json").read_text())
    assert (accuracy["metric"], accuracy["n"]) == ("accuracy", 24)


def test_a_continued_job_counts_only_what_is_missing(go: Go, found: Path) -> None:
    before = (found / "objects.json").read_bytes()
    parts = {path: path.stat().st_mtime_ns for path in found.rglob("part-*")}
    go("found", resume=True)
    assert (found / "objects.json").read_bytes() == before
    assert parts == {path: path.stat().st_mtime_ns for path in found.rglob("part-*")}
    with refused("resume=true"):
        go("found", resume=True, rule=OverlapRule(high=0.9))


def test_data_without_masks_is_refused(go: Go, shapes_root: Path) -> None:
    with refused("data=ade", "masked_scenes"):
        go("wrong", small_shapes(shapes_root))


def test_a_mask_of_another_size_or_that_is_missing_is_one_line(go: Go, tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "scenes", images=4)
    tested = MaskedScenes(root).records("test")[0]
    mask = root / "masks" / tested.path.relative_to(root / "images")
    Image.fromarray(np.ones((4, 6), np.uint8)).save(mask)
    with refused(mask, "6 x 4", "64 x 48"):
        go("small", MaskedScenes(root))
    mask.unlink()
    with refused(mask):
        go("small", MaskedScenes(root))
