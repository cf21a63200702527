"""Pictures of images with and without boxes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

import gapnet
from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.records import Record, Records
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.store import SCHEMA, About
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models import GapNet
from gapnet.ops.overlay import PREDICTED, overlay
from gapnet.report.gallery import Explainer, gallery
from gapnet.report.pictures import Judged, Picture, contact_sheet
from gapnet.saliency import Cam, Occlusion, Saliency

SIDE = 48
WINDOW = torch.tensor([0.0, 0.0, SIDE, SIDE])


@pytest.fixture(scope="module")
def network() -> GapNet:
    torch.manual_seed(0)
    return gapnet.create_model("tiny_gap", 3, input_size=SIDE).eval()


@pytest.fixture
def images(tmp_path: Path) -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    records = []
    for number, image in enumerate(pixels):
        path = tmp_path / f"{number}.png"
        Image.fromarray(image).save(path)
        box = torch.tensor([[1.0, 2, 30, 40]]) if number == 3 else None
        records.append(Record(path.name, path, number % 3, box))
    return Images(Records.of(records, tmp_path), whole_view((SIDE, SIDE)))


def predictions_of(predicted: list[int], box: list[float] | None = None) -> Predictions:
    """Return predictions of these classes; the box of the last image's true class is `box`."""
    rows = [
        {
            "id": f"{number}.png",
            "height": SIDE,
            "width": SIDE,
            "classes": [label, (label + 1) % 3],
            "scores": [0.75, 0.2],
            "guess_labels": [label],
            "guess_boxes": [0.0, 0, 9, 9],
            "known_box": box if number == len(predicted) - 1 else None,
        }
        for number, label in enumerate(predicted)
    ]
    return Predictions(pa.Table.from_pylist(rows, SCHEMA), About("test", ("a", "b", "c"), "net"))


def drawn(
    network: GapNet, images: Images, judged: Judged, predictions: Predictions, **methods: Saliency
) -> list[Picture]:
    localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass())
    explainer = Explainer(network, localizer, methods)
    pictures = gallery(explainer, images, judged, predictions, count=8)
    return sorted(pictures, key=lambda picture: picture.id)


def map_of(network: GapNet, images: Images, row: int, label: int) -> Image.Image:
    file = Image.open(images.records[row].path)
    with torch.no_grad():
        features = network.forward_features(network.prepare(file))
        maps = network.class_maps(features, torch.tensor([[label]]))
    return overlay(file, maps[0, 0], WINDOW)


def same(one: Image.Image | None, other: Image.Image) -> bool:
    return one is not None and bool(np.allclose(np.asarray(one), np.asarray(other), atol=2))


def test_images_without_boxes_show_the_true_and_a_wrongly_predicted_class(
    network: GapNet, images: Images
) -> None:
    judged = Judged(torch.arange(3), torch.tensor([True, False, False]), None)
    right, wrong, _ = drawn(network, images, judged, predictions_of([0, 2, 0, 0]))
    assert (right.right, right.iou, right.other, right.predicted) == (True, None, None, 0)
    assert (wrong.right, wrong.iou, wrong.label, wrong.predicted) == (False, None, 1, 2)
    assert same(right.image, map_of(network, images, 0, 0))
    assert same(wrong.image, map_of(network, images, 1, 1))
    assert same(wrong.other, map_of(network, images, 1, 2))
    assert PREDICTED not in {color for _, color in wrong.image.getcolors(10**6) or []}


def test_images_with_boxes_are_those_of_their_rows(network: GapNet, images: Images) -> None:
    judged = Judged(torch.tensor([3]), torch.tensor([False]), torch.tensor([0.25]))
    predictions = predictions_of([0, 0, 0, 2], box=[1.0, 2, 30, 40])
    (picture,) = drawn(network, images, judged, predictions)
    assert (picture.id, picture.iou, picture.predicted) == ("3.png", 0.25, 2)
    assert picture.other is None
    assert PREDICTED in {color for _, color in picture.image.getcolors(10**6) or []}


def test_a_sheet_shows_both_maps() -> None:
    square = Image.new("RGB", (20, 20))
    pictures = [
        Picture("a.png", square, 0, 0, None, right=True),
        Picture("b.png", square, 0, 1, None, right=False, other=square),
    ]
    assert contact_sheet(pictures, columns=3, gap=0).size == (60, 20)


def test_the_page_s_maps_are_those_of_the_ranked_classes_and_the_true_one(
    network: GapNet, images: Images
) -> None:
    judged = Judged(torch.tensor([3]), torch.tensor([False]), torch.tensor([0.25]), ["part"])
    predictions = predictions_of([0, 0, 0, 1], box=[1.0, 2, 30, 40])
    (picture,) = drawn(network, images, judged, predictions, occlusion=Occlusion(window=24))
    entry = picture.entry
    assert entry is not None
    own, other = entry.explained
    assert (own.classes, own.scores, own.kind) == ([1, 2, 0], pytest.approx([0.75, 0.2]), "part")
    assert (entry.label, entry.size, entry.boxes) == (0, (SIDE, SIDE), [[1, 2, 30, 40]])
    file = Image.open(images.records[3].path)
    with torch.no_grad():
        features = network.forward_features(network.prepare(file))
        maps = network.class_maps(features, torch.tensor([[1, 2, 0]]))[0]
    torch.testing.assert_close(own.maps, maps, atol=1e-3, rtol=1e-3)
    assert own.boxes[0] == [1, 2, 30, 40]
    assert own.boxes[1] == [0, 0, 9, 9]
    assert (other.classes, other.kind) == (own.classes, None)
    assert other.boxes.keys() == {0, 1, 2}
