"""gapnet.explain: classes, scores, maps and boxes of pictures in any form."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

import gapnet
from gapnet.models import GapNet
from tests.refusals import refused

IDS = ("n02123045", "n02124075", "zebra")


@pytest.fixture(scope="module")
def network() -> GapNet:
    torch.manual_seed(0)
    network = gapnet.create_model("tiny_gap", 3, input_size=48).eval()
    network.classes = IDS
    return network


@pytest.fixture
def picture() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_scores_and_maps_are_those_of_the_network(network: GapNet, picture: Image.Image) -> None:
    (seen,) = gapnet.explain(network, picture, top=3)
    with torch.no_grad():
        features = network.forward_features(network.prepare(picture))
        scores = network.forward_head(features).softmax(1)[0]
        maps = network.class_maps(features, torch.tensor([seen.labels]))
    assert seen.labels == scores.argsort(descending=True).tolist()
    np.testing.assert_allclose(seen.scores, scores[seen.labels], rtol=1e-5)
    large = interpolate(maps, size=(60, 90), mode="bilinear")[0]
    np.testing.assert_allclose(seen.maps, large, rtol=1e-4, atol=1e-6)
    assert seen.ids == [IDS[label] for label in seen.labels]
    assert [IDS.index(class_id) for class_id in seen.ids] == seen.labels
    assert set(seen.names) == {"tabby", "Egyptian cat", "zebra"}


def test_maps_of_the_centre_are_those_of_the_picture_that_is_cut_out(
    network: GapNet, picture: Image.Image
) -> None:
    """The network takes 48 pixels of the 54 that the resized side of 60 has, so 52.5 of 90 x 60."""
    resized = picture.resize((81, 54), Image.Resampling.BILINEAR)
    cut_out = resized.crop((16, 3, 64, 51))
    (seen,) = gapnet.explain(network, picture, [0], view="centre")
    (expected,) = gapnet.explain(network, cut_out, [0])
    scale = 60 / 54
    left, top, right, bottom = (round(edge * scale) for edge in (16, 3, 64, 51))
    assert not seen.maps[0, :top].any()
    assert not seen.maps[0, :, :left].any()
    assert not seen.maps[0, bottom:].any()
    assert not seen.maps[0, :, right:].any()
    assert seen.scores == pytest.approx(expected.scores, abs=1e-5)
    x1, y1, x2, y2 = expected.boxes[0]
    box = ((x1 + 16) * scale, (y1 + 3) * scale, (x2 + 17) * scale - 1, (y2 + 4) * scale - 1)
    np.testing.assert_allclose(seen.boxes[0], box, atol=2)


def test_a_box_holds_the_largest_region_above_a_fifth_of_the_maximum(
    network: GapNet, picture: Image.Image
) -> None:
    (seen,) = gapnet.explain(network, picture, ["zebra"])
    x1, y1, x2, y2 = seen.boxes[0].astype(int)
    above = seen.maps[0] >= 0.2 * seen.maps[0].max()
    assert above[y1 : y2 + 1, x1 : x2 + 1].any(0).all()
    assert above[y1 : y2 + 1, x1 : x2 + 1].any(1).all()


def test_a_picture_may_have_any_form(network: GapNet, picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    array = np.asarray(picture)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1)
    forms = [tmp_path / "a.png", str(tmp_path / "a.png"), array, array / 255, tensor, tensor / 255]
    (expected,) = gapnet.explain(network, picture)
    for form in forms:
        (seen,) = gapnet.explain(network, form)
        assert seen.labels == expected.labels
        np.testing.assert_allclose(seen.maps, expected.maps, atol=1e-5)
    assert len(gapnet.explain(network, forms, batch_size=4)) == len(forms)
    assert gapnet.explain(network, []) == []


def test_a_photograph_is_turned_as_its_exif_orientation_says(
    network: GapNet, picture: Image.Image, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    (seen,) = gapnet.explain(network, tmp_path / "turned.jpg")
    assert seen.image.size == (60, 90)


@pytest.mark.parametrize("method", ["grad_cam", "gradient", "occlusion"])
def test_other_methods_give_maps_of_the_picture_s_size(
    network: GapNet, picture: Image.Image, method: str
) -> None:
    (seen,) = gapnet.explain(network, picture, method=method)
    assert seen.maps.shape == (1, 60, 90)


def test_grad_cam_of_a_gap_network_is_proportional_to_its_class_map(
    network: GapNet, picture: Image.Image
) -> None:
    (cam,) = gapnet.explain(network, picture, [0])
    (grad,) = gapnet.explain(network, picture, [0], method="grad_cam")
    if cam.maps.max() > 0:
        np.testing.assert_allclose(grad.boxes, cam.boxes, atol=1)


@pytest.mark.parametrize("form", ["overlay", "plot", "notebook"])
def test_it_draws(network: GapNet, picture: Image.Image, tmp_path: Path, form: str) -> None:
    (seen,) = gapnet.explain(network, picture, top=2)
    if form == "overlay":
        assert seen.overlay(1, side=45, colours="viridis", opacity=0.7).size == (45, 30)
        plain = np.asarray(seen.overlay(opacity=0, box=False))
        np.testing.assert_array_equal(plain, np.asarray(picture))
    if form == "plot":
        seen.plot().savefig(tmp_path / "plot.png")
        assert Image.open(tmp_path / "plot.png").width > 300
        assert seen.plot()._repr_png_().startswith(b"\x89PNG")
    if form == "notebook":
        assert seen._repr_png_().startswith(b"\x89PNG")


def test_threads_may_share_a_network(network: GapNet, picture: Image.Image) -> None:
    turned = [picture.rotate(90 * number) for number in range(4)]
    alone = [gapnet.explain(network, image)[0].maps for image in turned]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: gapnet.explain(network, image)[0].maps, turned))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_network_in_training_is_explained_in_eval_mode_and_keeps_its_mode(
    picture: Image.Image,
) -> None:
    network = gapnet.create_model("tiny_gap", 3, input_size=48, dropout=0.9)
    one, other = (gapnet.explain(network, picture)[0].maps for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert network.training


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"classes": ["tabi"]}, ["classes=tabi", "tabby"]),
        ({"classes": [3]}, ["classes=3"]),
        ({"classes": [-1]}, ["classes=-1"]),
        ({"method": "camm"}, ["method=camm", "grad_cam"]),
        ({"boxer": "round"}, ["boxer=round", "threshold20"]),
        ({"top": 0}, ["top=0"]),
        ({"view": "square"}, ["view=square"]),
        ({"batch_size": 0}, ["batch_size=0"]),
    ],
)
def test_wrong_arguments_are_refused(
    network: GapNet, picture: Image.Image, arguments: dict, parts: list[str]
) -> None:
    with refused(*parts):
        gapnet.explain(network, picture, **arguments)


@pytest.mark.parametrize(
    "picture",
    ["missing.jpg", np.zeros((2, 3, 4, 5)), np.full((4, 4, 3), 300.0), torch.zeros(2, 4, 4)],
    ids=["missing", "four dimensions", "not 0..1", "two channels"],
)
def test_what_is_no_picture_is_refused(network: GapNet, picture: object) -> None:
    with refused():
        gapnet.explain(network, picture)


def test_wrong_colours_are_refused(network: GapNet, picture: Image.Image) -> None:
    with refused("colours=pink-ish"):
        gapnet.explain(network, picture)[0].overlay(colours="pink-ish")


def test_public_names_are_listed() -> None:
    names = "adopt create_model evaluate explain gapify list_models load published train"
    assert set(names.split()) <= set(dir(gapnet))
    assert "tiny_gap" in gapnet.list_models("tiny*")
