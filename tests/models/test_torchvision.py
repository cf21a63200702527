"""The networks that are cut from torchvision's, next to torchvision's own."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.transforms.v2.functional import normalize

from gapnet.models import GapNet, create, tap
from gapnet.models.gapnet import IMAGENET_MEAN, IMAGENET_STD
from gapnet.models.surgery import initialise
from tests.models.conftest import SIDE, for_imagenet, network_params, thin_network

CUTS = {  # where torchvision's network gives what our trunk gives
    "alexnet_gap": ("alexnet", "features.11"),
    "alexnet_star_gap": ("alexnet", "features.11"),
    "alexnet": ("alexnet", "avgpool"),
    "vgg16_gap": ("vgg16", "features.29"),
    "vgg19_gap": ("vgg19", "features.35"),
    "vgg16_bn_gap": ("vgg16_bn", "features.42"),
    "vgg19_bn_gap": ("vgg19_bn", "features.51"),
    "vgg16": ("vgg16", "avgpool"),
    "vgg16_bn": ("vgg16_bn", "avgpool"),
    "googlenet_gap": ("googlenet", "inception4e"),
    "googlenet": ("googlenet", "inception5b"),
    "inception_v3_gap": ("inception_v3", "Mixed_6e"),
    "resnet18_gap": ("resnet18", "layer4"),
    "resnet50_gap": ("resnet50", "layer4"),
    "resnet101_gap": ("resnet101", "layer4"),
    "resnet50": ("resnet50", "layer4"),
}
TWINS = ["alexnet", "vgg16", "vgg16_bn", "googlenet", "resnet50"]
INCEPTIONS = {"googlenet", "inception_v3"}


LARGE = ["vgg16_bn", "resnet101_gap"]  # of a kind that a smaller one shows


def theirs(architecture: str, *, whole: bool) -> nn.Module:
    """Build torchvision's network as its weights come: with auxiliary heads, and its own input.

    Args:
        architecture: its name at torchvision.
        whole: with its classifier, which in an AlexNet or a VGG has most of the weights.
    """
    extra = {"init_weights": False, "transform_input": True} if architecture in INCEPTIONS else {}
    with torch.device("cpu" if whole else "meta"):
        network = torchvision.models.get_model(architecture, weights=None, num_classes=9, **extra)
    if not whole:
        network.classifier = nn.Identity()
        initialise(network.to_empty(device="cpu"))
    network.eval()
    for part in network.modules():  # statistics that a norm without training would not have
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 2.0)
    return network


def ours(name: str, **arguments: object) -> GapNet:
    plain = {"map_size": 7} if name.startswith("resnet") and name.endswith("gap") else {}
    return create(name, {"num_classes": 9, "input_size": SIDE, **plain, **arguments}).eval()


@torch.no_grad()
def features(network: nn.Module, at: str, images: Tensor) -> Tensor:
    """Look at what torchvision's network gives at the cut, for bytes."""
    seen: list[Tensor] = []
    with network.get_submodule(at).register_forward_hook(
        lambda layer, inputs, output: seen.append(output)
    ):
        network(normalize(images / 255, IMAGENET_MEAN, IMAGENET_STD))
    return seen[0]


def batch() -> Tensor:
    return torch.randint(256, (2, 3, SIDE, SIDE), dtype=torch.uint8)


@pytest.fixture(autouse=True)
def trunks_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the initial weights of trunks, because the tests load others or need none."""
    monkeypatch.setattr("gapnet.models.surgery.initialise", lambda trunk: trunk)


@pytest.mark.parametrize(
    "name",
    network_params([name for name in CUTS if name not in LARGE], default={"resnet18_gap"})
    + network_params(LARGE, others=pytest.mark.nightly),
)
@torch.no_grad()
def test_a_trunk_gives_what_torchvision_gives_at_the_cut(name: str, tmp_path: Path) -> None:
    architecture, at = CUTS[name]
    network = theirs(architecture, whole=name in TWINS)
    torch.save(network.state_dict(), tmp_path / "theirs.pth")
    mine = ours(name, weights=str(tmp_path / "theirs.pth"))
    images = batch()
    expected = features(network, at, images)
    torch.testing.assert_close(
        mine.trunk(mine.normalise(images)), expected, atol=1e-4 * expected.std().item(), rtol=1e-4
    )
    assert mine.facts.weights.endswith("theirs.pth")
    if name in TWINS:
        logits = network(normalize(images / 255, IMAGENET_MEAN, IMAGENET_STD))
        torch.testing.assert_close(mine(mine.normalise(images)), logits, atol=1e-4, rtol=1e-4)
    missing, unexpected = network.load_state_dict(mine.trunk.state_dict(), strict=False)
    assert not unexpected  # torchvision takes the trunk back
    assert not {weight for weight in missing if weight.startswith(at)}


def test_googlenet_keeps_transform_input_as_its_own_mean_and_deviation() -> None:
    images = batch()
    normalised = normalize(images / 255, IMAGENET_MEAN, IMAGENET_STD)
    network = SimpleNamespace(transform_input=True)
    shown = torchvision.models.GoogLeNet._transform_input(network, normalised)
    mine = thin_network("googlenet_gap").normalise(images)
    torch.testing.assert_close(mine.float(), shown, atol=1e-5, rtol=1e-5)


def test_googlenet_has_no_auxiliary_heads() -> None:
    assert not [name for name in for_imagenet("googlenet_gap").state_dict() if "aux" in name]


def test_a_checkpoint_holds_no_unused_fully_connected_weights(tmp_path: Path) -> None:
    network = ours("alexnet_gap", width=8)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    size = sum(4 * parameter.numel() for parameter in network.parameters())
    assert (tmp_path / "mine.pth").stat().st_size < 1.01 * size


@pytest.mark.parametrize(
    "name", ["resnet18_gap", pytest.param("resnet50_gap", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("side", [7, 14, 28])
def test_a_resnet_s_maps_have_the_size_that_is_asked_for(name: str, side: int) -> None:
    with torch.device("meta"):
        network = create(name, {"num_classes": 9, "map_size": side})
    assert network.facts.map_size == (side, side)


@pytest.mark.slow
def test_a_map_of_14_is_one_of_7_with_the_places_between() -> None:
    """Leave out the stride of layer4's first block: what its shortcut saw before is seen still."""
    coarse, fine = (thin_network("resnet18_gap", map_size=side) for side in (7, 14))
    assert torch.equal(fine.trunk.layer4[0].conv1.weight, coarse.trunk.layer4[0].conv1.weight)
    images = coarse.normalise(batch())
    shortcut = ["trunk.layer4.0.downsample.0"]
    with tap(coarse, shortcut) as seen, tap(fine, shortcut) as seen_fine, torch.no_grad():
        coarse(images)
        fine(images)
    (name,) = shortcut
    torch.testing.assert_close(seen_fine[name][:, :, ::2, ::2], seen[name])


def test_the_released_alexnet_star_has_its_conv5_and_its_pooling() -> None:
    with torch.device("meta"):
        network = create(
            "alexnet_star_gap", {"num_classes": 9, "profile": "caffe", "input_size": 227}
        )
    assert network.facts.map_size == (11, 11)
    assert network.trunk.get_submodule("features.10").weight.shape == (384, 256, 3, 3)
    convs = [layer for layer in network.head.conv if isinstance(layer, nn.Conv2d)]
    assert [(conv.out_channels, conv.groups) for conv in convs] == [(512, 2), (512, 2)]
    assert network.head.dropout.p == 0.5


@pytest.mark.parametrize(
    ("name", "dropout", "bias"), [("vgg16_gap", 0.5, 0.0), ("googlenet_gap", 0.0, 1.0)]
)
def test_the_released_heads_have_two_groups_and_their_own_start(
    name: str, dropout: float, bias: float
) -> None:
    head = ours(name, profile="caffe").head
    assert head.conv[0].groups == 2
    assert head.conv[0].weight.std().item() == pytest.approx(0.01, rel=0.01)
    assert set(head.conv[0].bias.tolist()) == {bias}
    assert head.dropout.p == dropout
