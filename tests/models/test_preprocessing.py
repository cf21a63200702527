"""Preprocessing comes with published weights, and equals that of their publishers."""

from functools import partial

import numpy as np
import pytest
import timm
import torch
from omegaconf import OmegaConf
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torchvision.models import get_model_weights

import gapnet
from gapnet.config.jobs import data_maker
from gapnet.data.loading.views import published_view, whole_view
from gapnet.localization import Localizer, OnePerClass, ThresholdBoxer
from gapnet.models import create
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.preprocessing import Preprocessing, of_timm, of_torchvision
from gapnet.models.weights.published import Torchvision
from gapnet.saliency import Cam
from tests.refusals import refused


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (11, 17, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((417, 333), Image.Resampling.BICUBIC)


def as_prepared(image: Image.Image, facts: Preprocessing) -> torch.Tensor:
    view = published_view(
        facts.input_size,
        interpolation=facts.interpolation,
        crop=facts.crop,
        squash=facts.squash,
    )
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (facts.mean, facts.std))
    return (view(image) / 255 - mean) / std


@pytest.mark.parametrize(
    "name",
    [
        *("resnet50", "resnet50.tv_in1k", "tf_efficientnet_lite0", "convnext_atto"),
        *("inception_v3", "vit_base_patch16_siglip_224", "efficientnet_b3"),
    ],
)
def test_the_view_is_timm_s_own(name: str, photograph: Image.Image) -> None:
    config = timm.get_pretrained_cfg(name).to_dict()
    transform = create_transform(**resolve_data_config({}, pretrained_cfg=config))
    shown = as_prepared(photograph, of_timm(config))
    torch.testing.assert_close(shown, transform(photograph), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["resnet50", "efficientnet_b0", "efficientnet_b1", "swin_t", "inception_v3"]
)
def test_the_view_is_torchvision_s_own(name: str, photograph: Image.Image) -> None:
    transform = get_model_weights(name).IMAGENET1K_V1.transforms()
    shown = as_prepared(photograph, of_torchvision(name))
    torch.testing.assert_close(shown, transform(photograph), atol=1e-5, rtol=1e-5)


def with_interpolation(interpolation: str, crop: float = 0.875) -> GapNet:
    network = create("tiny_gap", {"num_classes": 2, "input_size": 32, "width": 8})
    preparation = Preprocessing((32, 32), interpolation=interpolation, crop=crop)
    network.facts = Facts.prepared(preparation, network.facts.map_size, weights="mine")
    return network.eval()


def test_the_whole_picture_is_resized_by_the_weights_interpolation(photograph: Image.Image) -> None:
    resized = photograph.resize((32, 32), Image.Resampling.BICUBIC)
    network = with_interpolation("bicubic")
    expected = network.normalise(torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None])
    assert torch.equal(network.prepare(photograph), expected)
    view = whole_view((32, 32), interpolation="bicubic")
    assert torch.equal(network.normalise(view(photograph)[None]), expected)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({"_target_": "gapnet.data.whole_view"}, [(32, 32)]),
        ({"_target_": "gapnet.data.published_view"}, [64, (32, 32)]),
        ({"_target_": "gapnet.data.published_view", "crop": 1}, [32, (32, 32)]),
    ],
)
def test_a_view_of_a_data_module_follows_the_network(view: dict, expected: list) -> None:
    network = with_interpolation("bicubic", crop=0.5)
    loader = {"_target_": "gapnet.data.DataModule", "batch_size": 2, "num_workers": 0}
    config = {"view": {**view, "_partial_": True}, "loader": loader, "imports": []}
    localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass())
    module = data_maker(OmegaConf.create(config))(None, network, localizer)
    steps = module.view.transforms[:-1]
    assert [tuple(step.size) if len(step.size) == 2 else step.size[0] for step in steps] == expected
    assert steps[0].interpolation.value == "bicubic"


def test_a_module_of_timm_says_its_own_preprocessing() -> None:
    module = timm.create_model("test_efficientnet")
    config = module.pretrained_cfg
    adopted = gapnet.adopt(module, input_size=64)
    made = gapnet.gapify(module, cut="blocks.2", num_classes=3, width=None)
    for network in (adopted, made):
        assert tuple(network.facts.mean) == tuple(config["mean"])
        assert tuple(network.facts.std) == tuple(config["std"])
        assert network.facts.interpolation == config["interpolation"]
        assert network.facts.crop == config["crop_pct"]
    assert made.facts.input_size == config["input_size"][1:]
    assert adopted.facts.input_size == (64, 64)


def test_a_given_mean_is_used_instead() -> None:
    module = timm.create_model("test_efficientnet")
    network = gapnet.adopt(module, input_size=64, mean=[0.1, 0.2, 0.3])
    assert tuple(network.facts.mean) == (0.1, 0.2, 0.3)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_an_unknown_tag_is_refused(library: str) -> None:
    with refused(f"model.name={library}/resnet50.nix"):
        create("published", {"num_classes": None, "name": f"{library}/resnet50.nix"})


def test_a_tag_chooses_weights_of_torchvision() -> None:
    older, newer = Torchvision("resnet50"), Torchvision("resnet50.IMAGENET1K_V2")
    assert older.title == "ResNet50_Weights.IMAGENET1K_V1"
    assert newer.title == "ResNet50_Weights.IMAGENET1K_V2"
    assert older.layout() == newer.layout()
    assert of_torchvision("resnet50").crop == 224 / 256
    assert of_torchvision("resnet50.IMAGENET1K_V2").crop == 224 / 232


@pytest.mark.parametrize(
    ("arguments", "part"),
    [({"interpolation": "cubic"}, "view.interpolation=cubic"), ({"crop": 0}, "view.crop=0")],
)
def test_a_wrong_view_is_refused(arguments: dict, part: str) -> None:
    with refused(part):
        partial(published_view, (32, 32), **arguments)()
