"""Ten crops, against the oracle, torchvision, and the image that they were cut from."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import ten_crop

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.crops import Mirrored, Single, TenCrops
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models import create
from gapnet.ops.crops import coverage, put_back, take, ten_crops
from gapnet.saliency.base import look
from gapnet.saliency.cam.cam import Cam
from tests.oracles import crops as oracle

CANVAS, SIZE = (64, 64), (56, 56)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create("tiny_gap", {"num_classes": 5, "input_size": 56}).eval()


def test_crops_are_torchvision_s() -> None:
    images = torch.arange(3 * 64 * 64).view(1, 3, 64, 64)
    ours = [take(images, crop, SIZE) for crop in ten_crops(CANVAS, SIZE)]
    theirs = ten_crop(images, list(SIZE))
    assert {each.numpy().tobytes() for each in ours} == {each.numpy().tobytes() for each in theirs}


@pytest.mark.parametrize("canvas", [(64, 64), (61, 70), (56, 59)])
def test_putting_a_crop_back_is_the_exact_inverse(canvas: tuple[int, int]) -> None:
    images = torch.rand(2, *canvas)
    for crop in ten_crops(canvas, SIZE):
        back = put_back(take(images, crop, SIZE), crop, SIZE, canvas)
        inside = back != 0
        assert inside.sum() == 2 * SIZE[0] * SIZE[1]
        assert torch.equal(back[inside], images[inside])


def test_one_pixel_comes_back_to_itself_from_every_crop_that_shows_it() -> None:
    canvas = torch.zeros(1, *CANVAS)
    canvas[0, 20, 33] = 1
    for crop in ten_crops(CANVAS, SIZE):
        back = put_back(take(canvas, crop, SIZE), crop, SIZE, CANVAS)
        assert back[0].nonzero().tolist() == [[20, 33]]


@pytest.mark.parametrize(("merge", "way"), [("sum", "released"), ("mean", "coverage")])
def test_maps_merge_as_the_oracle_s(network, merge: str, way: str) -> None:
    crops, images = TenCrops(merge=merge), torch.randn(2, 3, *CANVAS)
    classes = torch.tensor([[0, 3], [4, 1]])
    with torch.inference_mode():
        looked = crops.look(network, images)
        found = crops.maps(Cam(), network, looked, classes)
        parts = [Cam()(network, each, classes) for each in looked.seen]
    assert found.shape == (2, 2, *CANVAS)
    for image in range(2):
        for place in range(2):
            maps = np.stack([each[image, place].double().numpy() for each in parts])
            windows = [tuple(crop) for crop in ten_crops(CANVAS, SIZE)]
            expected = oracle.merge(maps, CANVAS, SIZE, way, windows)
            assert np.abs(found[image, place].numpy() - expected).max() < 1e-5


def test_scores_are_the_mean_softmax(network) -> None:
    images = torch.randn(3, 3, *CANVAS)
    with torch.inference_mode():
        looked = TenCrops().look(network, images)
        logits = torch.stack([look(network, each).logits for each in ten_crop(images, list(SIZE))])
    for image in range(3):
        expected = oracle.mean_softmax(logits[:, image].double().numpy())
        assert looked.logits[image].softmax(0).numpy() == pytest.approx(expected, abs=1e-6)


def test_scores_of_several_classes_an_image_are_the_mean_sigmoid(network) -> None:
    several = deepcopy(network)
    several.multi_label = True
    images = 100 * torch.randn(3, 3, *CANVAS)  # some sigmoids are 0 or 1
    with torch.inference_mode():
        outputs = TenCrops().look(several, images)
        crops = ten_crop(images, list(SIZE))
        logits = np.stack([several(crop).double().numpy() for crop in crops])
    expected = (1 / (1 + np.exp(-logits))).mean(0)
    assert several.scores(outputs.logits).numpy() == pytest.approx(expected, abs=1e-6)
    assert outputs.logits.isfinite().all()


def test_the_middle_is_covered_by_all_and_a_corner_by_two() -> None:
    covered = coverage(ten_crops(CANVAS, SIZE), SIZE, CANVAS)
    assert covered[32, 32] == 10
    assert [covered[y, x].item() for y in (0, 63) for x in (0, 63)] == [2, 2, 2, 2]


def test_a_place_that_no_crop_covers_is_cold() -> None:
    crops, canvas = TenCrops(margin=3.0, merge="mean"), (30, 30)
    assert crops.canvas((10, 10)) == canvas
    assert coverage(ten_crops(canvas, (10, 10)), (10, 10), canvas).min() == 1


def test_one_look_is_the_network_s_own(network) -> None:
    images, classes = torch.randn(2, 3, *SIZE), torch.tensor([[0], [1]])
    localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass(), Single())
    with torch.inference_mode():
        looked, seen = localizer.look(network, images), look(network, images)
        assert torch.equal(looked.logits, seen.logits)
        maps = localizer.maps(network, looked, classes, ["a", "b"])
        assert torch.equal(maps, Cam()(network, seen, classes))


def test_the_canvas_of_224_is_256() -> None:
    assert TenCrops(margin=1.142857).canvas((224, 224)) == (256, 256)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": 0.9}, r"crops\.margin=0\.9: "),
        ({"merge": "max"}, r"crops\.merge=max: "),
    ],
)
def test_crops_out_of_range_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        TenCrops(**wrong)


def test_the_mirrored_view_counts_as_much_as_the_plain_one(network) -> None:
    """Maps and logits of a mirrored image are the mirrored maps and the logits of the image."""
    images, classes = torch.randn(2, 3, *SIZE), torch.tensor([[0, 3], [4, 1]])
    with torch.inference_mode():
        plain = Mirrored().look(network, images)
        turned = Mirrored().look(network, images.flip(-1))
        maps = Mirrored().maps(Cam(), network, plain, classes)
        turned_maps = Mirrored().maps(Cam(), network, turned, classes)
        single = Cam()(network, look(network, images), classes)
        other = Cam()(network, look(network, images.flip(-1)), classes)
    torch.testing.assert_close(turned.logits, plain.logits)
    torch.testing.assert_close(turned_maps, maps.flip(-1))
    torch.testing.assert_close(maps, (single + other.flip(-1)) / 2)
    assert not torch.allclose(single, maps)


def test_the_mean_of_a_mirrored_map_plus_the_bias_is_the_logit(network) -> None:
    images, classes = torch.randn(2, 3, *SIZE), torch.arange(5).expand(2, -1)
    with torch.inference_mode():
        outputs = Mirrored().look(network, images)
        maps = Mirrored().maps(Cam(), network, outputs, classes)
    torch.testing.assert_close(maps.mean((-2, -1)) + network.head.bias, outputs.logits)
