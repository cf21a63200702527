"""EfficientNet-Lite0 with its real weights, on real photographs."""

from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

import gapnet
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load, save
from gapnet.models.weights.files import read_state
from tests.real_files import WEIGHTS, package_file, photograph
from tests.refusals import refused

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("lite0")]
LITE0 = "tf_efficientnet_lite0"
# The cat of chelsea.png, measured by eye: it leaves the picture at the top, bottom and left; its
# ear ends at x = 402. The picture has 451 x 300 pixels; as a box, all of it has an IoU of 0.894.
CAT = (0, 0, 402, 299)


@pytest.fixture(scope="module")
def weights() -> Path:
    return package_file(*WEIGHTS)


@pytest.fixture(scope="module")
def network(weights: Path) -> GapNet:
    return gapnet.published(f"timm/{LITE0}", weights=str(weights))


@pytest.fixture(scope="module")
def of_timm(weights: Path) -> nn.Module:
    """Build timm's own network; the file has the same tensors in the same order."""
    module = timm.create_model(LITE0, pretrained=False)
    tensors = read_state(weights).values()
    module.load_state_dict(dict(zip(module.state_dict(), tensors, strict=True)))
    return module.eval()


@pytest.fixture(scope="module")
def images(network: GapNet) -> Tensor:
    names = ("chelsea.png", "coffee.png", "rocket.jpg")
    pictures = [Image.open(photograph(name)).convert("RGB") for name in names]
    return torch.cat([network.prepare(picture) for picture in pictures])


@torch.no_grad()
def test_logits_are_those_of_timm(network: GapNet, of_timm: nn.Module, images: Tensor) -> None:
    torch.testing.assert_close(network(images), of_timm(images), atol=1e-5, rtol=0)


@torch.no_grad()
def test_mean_of_a_class_map_plus_the_bias_is_the_logit(network: GapNet, images: Tensor) -> None:
    features = network.forward_features(images)
    classes = torch.arange(1000).expand(len(images), -1)
    pooled = network.class_maps(features, classes).mean((-2, -1)) + network.head.bias
    torch.testing.assert_close(pooled, network(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("view", ["whole", "centre"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chelsea.png", {"tabby", "tiger cat", "Egyptian cat"}),
        ("coffee.png", {"espresso", "cup", "coffee mug"}),
        ("rocket.jpg", {"missile", "projectile"}),
    ],
)
def test_the_right_classes_are_among_the_first_five(
    network: GapNet, name: str, expected: set[str], view: str
) -> None:
    (seen,) = gapnet.explain(network, photograph(name), top=5, view=view)
    assert expected <= set(seen.names)


def test_the_box_of_the_cat_holds_the_cat(network: GapNet) -> None:
    (seen,) = gapnet.explain(network, photograph("chelsea.png"), ["Egyptian cat"])
    x1, y1, x2, y2 = seen.boxes[0]
    left, top, right, bottom = CAT
    common = (min(x2, right) - max(x1, left) + 1) * (min(y2, bottom) - max(y1, top) + 1)
    cat, box = (right - left + 1) * (bottom - top + 1), (x2 - x1 + 1) * (y2 - y1 + 1)
    assert common / cat > 0.95
    assert common / (cat + box - common) > 0.9  # IoU


def test_the_preprocessing_is_timm_s(network: GapNet, of_timm: nn.Module) -> None:
    config = of_timm.pretrained_cfg
    assert tuple(network.facts.mean) == tuple(config["mean"])
    assert (network.facts.interpolation, network.facts.crop) == ("bicubic", config["crop_pct"])


def test_the_variant_without_the_padding_of_tensorflow_is_refused(weights: Path) -> None:
    with refused("model.weights", LITE0):
        gapnet.published("timm/efficientnet_lite0", weights=str(weights))


@torch.no_grad()
def test_it_is_saved_and_loaded(network: GapNet, images: Tensor, tmp_path: Path) -> None:
    save(network, tmp_path)
    again = load(tmp_path)
    assert torch.equal(again(images), network(images))
    assert again.class_names == network.class_names
    assert again.class_names[285] == "Egyptian cat"
