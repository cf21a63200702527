"""`gapnet concept` on drawn images: a red and a green square together are the concept."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gapnet.data.sources.captions import Captions
from gapnet.data.sources.positives import Positives
from gapnet.jobs.concept import ConceptJob, find_concept
from gapnet.jobs.features import Extraction
from gapnet.jobs.job import Run
from gapnet.localization import Localizer, OnePerClass, ThresholdBoxer
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import load
from gapnet.saliency import Cam
from gapnet.transfer.feature_rows import read_features
from gapnet.transfer.layers import Layer
from gapnet.transfer.mining import Mining
from gapnet.transfer.svm import LinearSvm
from tests.refusals import refused
from tests.transfer.conftest import make_data, quiet_trainer, small_shapes

PHRASE = "red by green"
CAPTIONS = {(0, 1): "Red by green.", (0,): "red wall", (1,): "green wall", (): "a wall"}
Go = Callable[..., Path]


def write_squares(root: Path) -> Path:
    """Write 40 images with both squares, 30 with one of them, and 150 with none."""
    root.mkdir()
    rng = np.random.default_rng(0)
    kinds: list[tuple[int, ...]] = [(0, 1)] * 40 + [(0,)] * 15 + [(1,)] * 15 + [()] * 150
    lines = ["image,caption"]
    for number, channels in enumerate(kinds):
        pixels = rng.integers(0, 100, (32, 32, 3)).astype(np.uint8)
        for channel in channels:
            x, y = rng.integers(0, 20), 16 * channel + rng.integers(0, 4)
            pixels[y : y + 12, x : x + 12, channel] = 255
        Image.fromarray(pixels).save(root / f"{number}.png")
        lines.append(f"{number}.png,{CAPTIONS[channels]}")
    (root / "captions.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squares(tmp_path_factory.mktemp("drawn") / "squares")


@pytest.fixture(scope="module")
def go(squares: Path, network_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Go:
    home = tmp_path_factory.mktemp("concepts")

    def call(name: str, source: Any = None, layer: str = "gap", **changes: Any) -> Path:
        captions = Captions(squares, phrase=PHRASE, without="phrase", held_out=0.5)
        job = ConceptJob(
            run=Run(home / name, runs=home),
            network=NetworkChoice(network_file),
            source=lambda: source or captions,
            data=make_data,
            extraction=Extraction((Layer.of(layer),), quiet_trainer),
            localizer=Localizer(Cam(), ThresholdBoxer(), OnePerClass(1)),
            mining=changes.pop("mining", Mining(start=8, added=8)),
            pictures=changes.pop("pictures", 3),
            **changes,
        )
        assert find_concept(job)
        return job.run.folder

    return call


@pytest.fixture(scope="module")
def mined(go: Go) -> Path:
    return go("mined")


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_mining_beats_one_round(mined: Path) -> None:
    summary = json.loads((mined / "concept.json").read_text())
    first, last = (
        summary["metrics"][name]["value"]
        for name in ("first_round_average_precision", "average_precision")
    )
    assert summary["rounds"] > 1
    assert last > first
    assert summary["metrics"]["gain_of_mining"]["value"] == pytest.approx(last - first)
    assert summary["training_images"] == {"with": 20, "without": 90}


def test_the_network_s_logit_and_mean_map_are_the_decision_value(mined: Path) -> None:
    svm, network = LinearSvm.load(mined / "svm.safetensors"), load(mined / "network")
    features = read_features(mined / "features" / "test", ["gap"], "gap")
    decisions = dict(zip(features.ids, svm.decisions(features.vectors)[:, 0], strict=True))
    table = read(mined / "decisions.csv")
    assert [float(row["decision"]) for row in table] == sorted(decisions.values(), reverse=True)
    assert (network.classes, network.multi_label) == ((PHRASE,), True)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        maps = network.forward_features(network.normalise(images))
        logits = network.forward_head(maps)
        means = network.class_maps(maps, torch.zeros(2, 1, dtype=torch.long)).mean((2, 3))
    expected = svm.decisions(maps.mean((2, 3)).numpy())
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(means.numpy() + svm.bias, expected, atol=1e-5)


def test_maps_and_boxes_of_the_highest_ranked_images_are_written(mined: Path) -> None:
    boxes, ranked = read(mined / "boxes.csv"), read(mined / "decisions.csv")
    assert [row["image"] for row in boxes] == [row["image"] for row in ranked[:3]]
    assert sorted(path.name for path in (mined / "maps").iterdir()) == [
        "001.jpg",
        "002.jpg",
        "003.jpg",
    ]
    assert (mined / "report.html").read_text().count("<figure") == 3


def test_a_continued_job_writes_the_same(go: Go, mined: Path) -> None:
    names = ("metrics.json", "decisions.csv", "boxes.csv", "mining.csv")
    before = [(mined / name).read_bytes() for name in names]
    parts = {path: path.stat().st_mtime_ns for path in mined.rglob("part-*")}
    (mined / "metrics.json").unlink()
    assert go("mined", resume=True) == mined
    assert [(mined / name).read_bytes() for name in names] == before
    assert parts == {path: path.stat().st_mtime_ns for path in mined.rglob("part-*")}


def test_two_folders_make_the_same_kind_of_detector(go: Go, squares: Path, tmp_path: Path) -> None:
    for number in range(70):
        folder = tmp_path / ("text" if number < 40 else "other images")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.png").hardlink_to(squares / f"{number}.png")
    source = Positives(tmp_path / "text", negatives=tmp_path / "other images")
    folder = go("text", source, layer="trunk.2:max", pictures=0)
    assert json.loads((folder / "concept.json").read_text())["concept"] == "text"
    assert not (folder / "network").exists()
    assert not (folder / "maps").exists()


def test_a_class_of_any_data_set_is_a_concept(go: Go, shapes_root: Path) -> None:
    source = small_shapes(shapes_root)
    folder = go("class", source, concept=source.classes[2], pictures=1)
    assert LinearSvm.load(folder / "svm.safetensors").classes == (source.classes[2],)


def test_wrong_values_are_one_line(go: Go, shapes_root: Path) -> None:
    with refused("concept=null"):
        go("wrong", small_shapes(shapes_root))
    with refused("concept=cat"):
        go("wrong", concept="cat")
    with refused("pictures=-1"):
        go("wrong", pictures=-1)
