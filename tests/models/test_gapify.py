"""Networks of others, cut after one of their submodules."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

import gapnet
from gapnet.errors import GapnetError
from gapnet.models.saved import load, save
from tests.few import few
from tests.refusals import refused


class Own(nn.Module):
    """A network as people write them: parts used twice, branches, control flow, no order."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 4)
        self.act = nn.ReLU()
        self.deep = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.left = nn.Conv2d(3, 3, 3, stride=2, padding=1)
        self.right = nn.Conv2d(3, 3, 3, stride=2, padding=1)
        self.unused = nn.Conv2d(3, 3, 3)

    def forward(self, images: Tensor) -> Tensor:
        joined = torch.cat([self.act(self.left(images)), self.act(self.right(images))], 1)
        features = self.deep(joined)
        if features.mean() > 1e9:  # cannot be traced, but comes after the cut
            raise RuntimeError
        return self.head(features.mean((-2, -1)))


def test_one_line_makes_class_maps_of_a_network() -> None:
    module = Own().eval()
    network = gapnet.gapify(module, cut="deep", num_classes=5, input_size=32).eval()
    images = torch.randn(2, 3, 32, 32)
    features = network.forward_features(images)
    maps = network.class_maps(features, torch.arange(5).expand(2, -1))
    assert network.facts.map_size == maps.shape[-2:] == (16, 16)
    pooled = maps.mean((-2, -1)) + network.head.linear.bias
    torch.testing.assert_close(pooled, network(images))


def test_the_trunk_is_the_network_up_to_the_cut_and_shares_its_weights() -> None:
    module = Own().eval()
    network = gapnet.gapify(module, cut="deep", num_classes=5, input_size=32)
    images = torch.randn(2, 3, 32, 32)
    seen: list[Tensor] = []
    with module.deep.register_forward_hook(lambda layer, inputs, output: seen.append(output)):
        module(images)
    assert torch.equal(network.eval().trunk(images), seen[0])
    assert network.trunk.get_parameter("left.weight") is module.left.weight
    assert not [
        name for name, _ in network.trunk.named_parameters() if name[:4] in ("head", "unus")
    ]


def test_without_a_cut_the_network_s_own_output_is_taken() -> None:
    module = nn.Sequential(nn.Conv2d(1, 6, 3, stride=4))
    network = gapnet.gapify(module, num_classes=2, input_size=(16, 24), mean=[0.5], std=[0.5])
    assert network.facts.map_size == (4, 6)
    assert network(torch.randn(1, 1, 16, 24)).shape == (1, 2)


def test_modes_and_hooks_of_the_module_are_left_as_they_were() -> None:
    module = Own().train()
    module.deep.eval()
    gapnet.gapify(module, cut="deep", num_classes=5, input_size=32)
    assert module.training
    assert not module.deep[1].training
    assert not any(part._forward_hooks for part in module.modules())


def test_an_unknown_name_gets_the_names_that_there_are_with_their_sizes() -> None:
    with pytest.raises(GapnetError, match="cut='deeper': ") as caught:
        gapnet.gapify(Own(), cut="deeper", num_classes=5, input_size=32)
    assert caught.value.__notes__[0].splitlines() == [
        "left 3x16x16",
        "right 3x16x16",
        "deep.0 8x16x16",
        "deep.1 8x16x16",
        "deep 8x16x16",
    ]


@pytest.mark.parametrize(
    ("cut", "parts"), [("head", ["(4,)"]), ("unused", ["Own"]), ("act", ["Own"])]
)
def test_a_submodule_that_cannot_be_cut_at_is_an_error(cut: str, parts: list[str]) -> None:
    with refused(f"cut={cut!r}", *parts):
        gapnet.gapify(Own(), cut=cut, num_classes=5, input_size=32)


class Deciding(Own):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images if images.mean() > 0 else -images)


def test_control_flow_before_the_cut_is_named_with_the_way_out() -> None:
    with refused("Deciding", "'deep'"):
        gapnet.gapify(Deciding(), cut="deep", num_classes=5, input_size=32)


@pytest.mark.parametrize(
    ("module", "cut"),
    [
        (torchvision.models.mobilenet_v3_small, "features.8"),
        pytest.param(
            *(torchvision.models.densenet121, "features.denseblock3"), marks=pytest.mark.slow
        ),
        pytest.param(torchvision.models.efficientnet_b0, "features.5", marks=pytest.mark.slow),
        pytest.param(
            *(lambda: timm.create_model("resnetv2_50"), "stages.2"), marks=pytest.mark.slow
        ),
    ],
)
def test_networks_of_others_are_cut(module, cut: str) -> None:
    network = gapnet.gapify(module(), cut=cut, num_classes=5, width=16, input_size=64)
    assert network.facts.map_size == (4, 4)
    network.train()(torch.randn(2, 3, 64, 64)).sum().backward()
    assert next(network.parameters()).grad is not None


def test_a_gapified_network_trains_on_the_module_s_device_and_type() -> None:
    network = gapnet.gapify(Own().double(), cut="deep", num_classes=5, input_size=32)
    assert network(torch.randn(2, 3, 32, 32, dtype=torch.float64)).dtype == torch.float64


SAVED = [
    (lambda: timm.create_model("test_efficientnet"), {"cut": "blocks.2", "input_size": 64}),
    (
        lambda: timm.create_model("test_resnet", num_classes=3),
        {"cut": "layer3", "input_size": (64, 96), "width": None, "pool": "max", "mean": [0.1] * 3},
    ),
    (torchvision.models.mobilenet_v2, {"cut": "features.13", "input_size": 64, "width": 8}),
    (
        lambda: torchvision.models.googlenet(init_weights=False, transform_input=True),
        {"cut": "inception4e", "input_size": 64, "width": 8},
    ),
    (lambda: timm.create_model("resnet50.tv_in1k"), {"cut": "layer2", "width": None}),
]


@pytest.mark.parametrize(("build", "arguments"), few(SAVED, 2))
def test_a_gapified_network_of_a_library_is_saved_and_loaded(
    build, arguments: dict, tmp_path: Path
) -> None:
    network = gapnet.gapify(build(), num_classes=5, **arguments).eval()
    check_saved(network, tmp_path)


def check_saved(network: gapnet.models.GapNet, folder: Path) -> None:
    save(network, folder)
    again = load(folder)
    images = torch.randn(1, 3, *network.facts.input_size)
    with torch.no_grad():
        assert torch.equal(again(images), network(images))
    assert again.facts == network.facts


@pytest.mark.parametrize(
    ("build", "arguments"),
    few(
        [
            (lambda: timm.create_model("test_efficientnet"), {"input_size": 64}),
            (lambda: timm.create_model("test_convnext", num_classes=7), {"std": [0.5] * 3}),
            (torchvision.models.shufflenet_v2_x0_5, {"input_size": 64}),
            (torchvision.models.efficientnet_b0, {"input_size": 64}),
        ],
        1,
    ),
)
def test_a_module_keeps_its_classifier_and_is_saved_and_loaded(
    build, arguments: dict, tmp_path: Path
) -> None:
    module = build().eval()
    network = gapnet.gapify(module, num_classes=None, **arguments).eval()
    images = torch.randn(1, 3, *network.facts.input_size)
    with torch.no_grad():
        torch.testing.assert_close(network(images), module(images), rtol=1e-4, atol=1e-4)
    check_saved(network, tmp_path)


def test_a_cut_leaves_no_place_for_the_own_classifier() -> None:
    with refused("cut='deep'", "num_classes"):
        gapnet.gapify(Own(), cut="deep", num_classes=None, input_size=32)


def other_strides() -> nn.Module:
    module = timm.create_model("test_resnet")
    module.conv1[0].stride = (1, 1)
    return module


@pytest.mark.parametrize(
    ("build", "cut", "name"),
    [
        (Own, "deep", "Own"),
        (other_strides, "layer3", "ResNet"),
        (lambda: timm.create_model("test_resnet", output_stride=8), "layer3", "ResNet"),
    ],
)
def test_a_network_that_gapnet_cannot_build_again_is_not_saved(
    build, cut: str, name: str, tmp_path: Path
) -> None:
    network = gapnet.gapify(build(), cut=cut, num_classes=5, input_size=32)
    with refused(repr(name), "gapnet.models.register"):
        save(network, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["timm/hf-hub:a/b", "timm/local-dir:/tmp", "os/system", "timm/../x"]
)
def test_a_description_builds_networks_of_libraries_only(name: str) -> None:
    """timm itself would download hf-hub:OWNER/NAME, or read a folder."""
    with refused("model.name"):
        gapnet.models.create("gapified", {"num_classes": 5, "cut": "layer1", "name": name})
