"""Table 4 on a small tree in CUB's layout."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gapnet.data.loading.views import whole_view
from gapnet.data.sources.cub import Cub
from gapnet.evaluation.compare import compare_verdicts
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import read_parts
from gapnet.jobs.evaluation import Evaluation
from gapnet.jobs.features import Extraction
from gapnet.jobs.job import Run
from gapnet.jobs.rules import Rules
from gapnet.jobs.transfer import TransferJob, transfer
from gapnet.localization import Localizer, OnePerClass, ThresholdBoxer
from gapnet.models.network_choice import NetworkChoice
from gapnet.models.saved import load
from gapnet.ops.components import largest_component_boxes
from gapnet.saliency import Cam
from gapnet.transfer.feature_rows import Features, read_features
from gapnet.transfer.layers import Layer
from gapnet.transfer.regions import predicted_parts, true_parts
from gapnet.transfer.svm import LinearSvm
from tests.refusals import refused
from tests.transfer.birds import TEST, TRAIN, write_birds
from tests.transfer.conftest import SIDE, make_data, quiet_trainer

Box = tuple[float, float, float, float]
Go = Callable[..., Path]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Cub:
    root = write_birds(tmp_path_factory.mktemp("birds"))
    return Cub(root, held_out=0, select_split="test")


@pytest.fixture(scope="module")
def go(source: Cub, network_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Go:
    home = tmp_path_factory.mktemp("transfers")

    def call(
        region: str, train_crops: str = "predicted", *, layer: str = "gap", **changes: Any
    ) -> Path:
        localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass())
        job = TransferJob(
            run=Run(home / f"{region}-{train_crops}-{layer}", runs=home),
            network=NetworkChoice(network_file),
            source=lambda: source,
            data=make_data,
            extraction=Extraction((Layer.of(layer),), quiet_trainer),
            evaluation=Evaluation(
                Rules(localizer, (Protocol(resamples=10),)), quiet_trainer, pictures=0
            ),
            region=region,
            train_crops=train_crops,
            **changes,
        )
        assert transfer(job)
        return job.run.folder

    return call


@pytest.fixture(scope="module")
def full(go: Go) -> Path:
    return go("full")


@pytest.fixture(scope="module")
def crop(go: Go) -> Path:
    return go("crop")


def metrics_in(folder: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((folder / "metrics.json").read_text())
    return {row["metric"]: row for row in reversed(rows)}


def features_in(folder: Path, split: str) -> Features:
    return read_features(folder / "features" / split, ["gap"], "gap")


def vectors_of_crops(
    source: Cub, network_file: Path, split: str, boxes: dict[str, Box]
) -> np.ndarray:
    """Crop the files with Pillow, and run the network on them."""
    network, vectors = load(network_file), []
    for image in sorted(boxes):
        x1, y1, x2, y2 = boxes[image]
        edges = (int(np.floor(x1)), int(np.floor(y1)), int(np.ceil(x2)) + 1, int(np.ceil(y2)) + 1)
        picture = Image.open(source.root / "images" / image).convert("RGB").crop(edges)
        shown = whole_view((SIDE, SIDE))(picture)[None]
        with torch.no_grad():
            vectors.append(network.forward_features(network.normalise(shown)).mean((2, 3)))
    return torch.cat(vectors).numpy()


def test_whole_images_are_classified_and_localized(full: Path, source: Cub) -> None:
    metrics = metrics_in(full)
    assert metrics["accuracy"]["n"] == 3 * TEST
    assert len(features_in(full / "full", "train").ids) == 3 * TRAIN
    network = load(full / "network")
    assert network.classes == tuple(source.classes)
    top1_error = metrics["top1_error"]["value"]
    assert metrics["accuracy"]["value"] == pytest.approx(1 - top1_error)
    anchors = {"gt_known_error", "whole_image_gt_known_error", "centred_box_gt_known_error"}
    assert anchors <= metrics.keys()
    assert metrics["gt_known_error"]["threshold"] == 0.2
    (same,) = compare_verdicts(full / "verdicts.parquet", full / "verdicts.parquet")
    assert (same.metric, same.a) == ("svm/accuracy", metrics["accuracy"]["value"])


def test_true_boxes_are_cropped(go: Go, source: Cub, network_file: Path) -> None:
    folder = go("box")
    boxes = {record.id: tuple(record.boxes[0].tolist()) for record in source.records("test")}
    expected = vectors_of_crops(source, network_file, "test", boxes)
    np.testing.assert_allclose(
        features_in(folder / "box", "test").vectors, expected, rtol=1e-4, atol=1e-5
    )
    assert "gt_known_error" not in metrics_in(folder)


def box_of_class_map(network: Any, source: Cub, image: str) -> Box:
    """Compute the 20% box of the most probable class by hand, in pixels of the file."""
    picture = Image.open(source.root / "images" / image).convert("RGB")
    with torch.no_grad():
        shown = network.normalise(whole_view((SIDE, SIDE))(picture)[None])
        features = network.forward_features(shown)
        best = network.forward_head(features).argmax(1, keepdim=True)
        maps = network.class_maps(features, best)
        size = (picture.height, picture.width)
        heat = torch.nn.functional.interpolate(maps, size=size, mode="bilinear")[0, 0].numpy()
    if heat.max() <= 0:
        return (0, 0, picture.width - 1, picture.height - 1)
    cuts = np.array([0.2], np.float32)
    heat = np.clip(heat / heat.max(), 0, 1)
    (box,) = largest_component_boxes(heat, cuts, connectivity=8, size="pixels")
    return tuple(map(float, box))


def test_crops_are_the_boxes_of_the_predicted_class_s_map(
    crop: Path, source: Cub, network_file: Path
) -> None:
    predictions = Predictions(*read_parts(crop / "boxes" / "predictions" / "test"))
    boxes = {image: tuple(box) for image, box in predicted_parts(predictions, "predicted").items()}
    svm_network = full_network(crop, network_file)
    for image in list(boxes)[:4]:
        assert boxes[image] == pytest.approx(box_of_class_map(svm_network, source, image), abs=1)
    expected = vectors_of_crops(source, network_file, "test", boxes)
    np.testing.assert_allclose(
        features_in(crop / "crop", "test").vectors, expected, rtol=1e-4, atol=1e-5
    )


def full_network(folder: Path, network_file: Path) -> Any:
    """Return the network with the SVM of whole images."""
    return LinearSvm.load(folder / "full" / "svm.safetensors").network(load(network_file))


@pytest.mark.slow
def test_training_images_are_cropped_by_the_true_class_on_request(go: Go, crop: Path) -> None:
    folder = go("crop", "label")
    predictions = Predictions(*read_parts(folder / "boxes" / "predictions" / "train"))
    assert predicted_parts(predictions, "label") == dict(
        zip(predictions.ids, predictions.known.tolist(), strict=True)
    )
    ours, theirs = (features_in(place / "crop", "test").vectors for place in (folder, crop))
    assert np.array_equal(ours, theirs)


def test_a_transfer_is_taken_up_where_it_stopped(go: Go, crop: Path) -> None:
    before = (crop / "metrics.json").read_bytes()
    parts = {path: path.stat().st_mtime_ns for path in crop.rglob("part-*")}
    (crop / "metrics.json").unlink()
    go("crop", resume=True)
    assert (crop / "metrics.json").read_bytes() == before
    assert parts == {path: path.stat().st_mtime_ns for path in crop.rglob("part-*")}


def test_the_vectors_of_any_layer_are_classified(go: Go, network_file: Path) -> None:
    folder = go("full", layer="trunk.2:max")
    assert metrics_in(folder).keys() == {"accuracy", "mean_class_accuracy"}
    assert not (folder / "network").exists()
    assert LinearSvm.load(folder / "svm.safetensors").layer == "trunk.2:max"


def test_values_are_checked(go: Go) -> None:
    with refused("layer=trunk.2", "region=crop", "layer=gap"):
        go("crop", layer="trunk.2")
    with refused("region=middle", "full", "crop", "box"):
        go("middle")
    with refused("train_crops=both", "predicted", "label"):
        go("crop", "both")


def test_an_image_without_a_box_has_no_true_part(source: Cub) -> None:
    record = source.records("test")[0]._replace(boxes=None)
    with refused("region=box", record.id):
        true_parts([record], "test")
