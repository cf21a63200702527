"""Published classifiers as they are: the same logits, and class maps of their own classifier."""

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import get_model

import gapnet
from gapnet.models import GapNet, create, load
from gapnet.models.adoption.adopt import adopt
from gapnet.models.saved import save
from tests.few import few
from tests.refusals import refused

SIDE = 64


def averaged(net: "Net", maps: Tensor) -> Tensor:
    return functional.adaptive_avg_pool2d(maps, 1).flatten(1)


def tokens(maps: Tensor) -> Tensor:
    return maps.flatten(2).transpose(1, 2)


ENDS = {
    "plain": lambda net, maps: net.fc(net.drop(averaged(net, maps))),
    "relu": lambda net, maps: net.fc(averaged(net, functional.relu(maps))),
    "last": lambda net, maps: net.fc(maps.permute(0, 2, 3, 1).mean((1, 2))),
    "tokens": lambda net, maps: net.fc(net.norm(tokens(maps).mean(dim=1))),
    "norm": lambda net, maps: net.fc(net.norm(averaged(net, maps))),
    "max": lambda net, maps: net.fc(functional.adaptive_max_pool2d(maps, 1).flatten(1)),
    # without class maps
    "act": lambda net, maps: net.fc(net.act(averaged(net, maps))),
    "token": lambda net, maps: net.fc(tokens(maps)[:, 0]),
    "large": lambda net, maps: net.wide(functional.adaptive_avg_pool2d(maps, 2).flatten(1)),
    "softmax": lambda net, maps: net.fc(averaged(net, maps)).softmax(1),
    "input": lambda net, maps: net.fc(maps.flatten(1)[:, :6]),
}


class Net(nn.Module):
    """A network of two convs, with the last steps of ENDS."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.ReLU(), nn.Conv2d(8, 6, 3))
        self.norm = nn.LayerNorm(6)
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(6, 5)
        self.wide = nn.Linear(24, 5)
        self.end = end

    def forward(self, images: Tensor) -> Tensor:
        return ENDS[self.end](self, self.features(images))


def check_identity(network: GapNet, module: nn.Module, side: int) -> None:
    """Compare logits, and the pooled class maps plus the bias, with those of the module."""
    images = torch.randn(2, 3, side, side, dtype=torch.float64)
    network, module = network.double().eval(), module.double().eval()
    with torch.no_grad():
        logits, expected = network(images), module(images)
        features = network.forward_features(images)
        classes = torch.arange(5).expand(2, -1)
        maps = network.class_maps(features, classes)
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    if network.facts.input_size == (side, side):
        assert maps.shape[2:] == network.facts.map_size
    pooled = maps.mean((-2, -1)) if network.pooling_head().pool == "avg" else None
    if pooled is not None:
        torch.testing.assert_close(pooled + network.head.bias[:5], expected[:, :5])


@pytest.mark.parametrize("end", ["plain", "relu", "last", "tokens", "norm", "max"])
def test_logits_and_pooled_maps_are_those_of_the_network(end: str) -> None:
    module = Net(end)
    nn.init.normal_(module.norm.weight)
    nn.init.normal_(module.norm.bias)
    check_identity(adopt(module, input_size=SIDE), module, SIDE)


@pytest.mark.parametrize(
    ("end", "part"),
    [
        ("act", "ReLU"),
        ("token", "token"),
        ("large", "2x2"),
        ("softmax", "softmax"),
        ("input", "pooled"),
    ],
)
def test_a_network_without_class_maps_is_refused(end: str, part: str) -> None:
    with refused("Net", part, "gapnet.gapify"):
        adopt(Net(end), input_size=SIDE)


def test_a_function_that_reads_more_than_pooled_features_is_refused() -> None:
    class Sneaky(Net):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) + images.mean()

    with refused("Sneaky", "gapnet.gapify"):
        adopt(Sneaky("plain"), input_size=SIDE)


def test_a_forward_pass_that_depends_on_values_is_refused() -> None:
    class Deciding(Net):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images if images.sum() > 0 else -images)

    with refused("Deciding"):
        adopt(Deciding("plain"), input_size=SIDE)


def test_weights_are_shared_and_gradients_reach_them() -> None:
    module = Net("plain")
    network = adopt(module, input_size=SIDE)
    network(torch.randn(1, 3, SIDE, SIDE)).sum().backward()
    assert module.fc.weight.grad is not None
    assert module.features[0].weight.grad is not None


NAMES = [
    "torchvision/squeezenet1_1",  # its pooled features are the logits
    "torchvision/shufflenet_v2_x0_5",  # pools by mean()
]
MORE = [
    "torchvision/mobilenet_v2",  # pools by a function
    "timm/tf_efficientnet_lite0",
    "timm/convnext_atto",  # a layer norm after the pooling
    "torchvision/densenet121",  # a ReLU between its features and its pooling
    "torchvision/googlenet",
    "torchvision/inception_v3",
    "torchvision/regnet_y_400mf",
    "torchvision/resnet18",
    "torchvision/mnasnet0_5",
    "torchvision/swin_t",
    "torchvision/convnext_tiny",
    "torchvision/efficientnet_b0",
    "timm/dla34",  # its classifier is a 1x1 conv
    "timm/hrnet_w18_small",
    "timm/swin_tiny_patch4_window7_224",  # channels last
    "timm/vit_small_patch16_dinov3",  # pools tokens; no classifier
]


def plain_module(name: str) -> tuple[nn.Module, int]:
    """Build a network by its library alone; return a side of images that it takes."""
    library, _, architecture = name.partition("/")
    if library == "timm":
        module = timm.create_model(architecture)
        config = module.pretrained_cfg
        return module, config["input_size"][-1] if config["fixed_input_size"] else SIDE
    side = 299 if "inception" in name else SIDE
    inception = name.endswith(("googlenet", "inception_v3"))
    options = {"aux_logits": False, "init_weights": False} if inception else {}
    return get_model(architecture, weights=None, **options), side


@pytest.mark.parametrize(
    "name", [*NAMES, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)]
)
def test_a_network_of_a_library_keeps_its_logits(name: str) -> None:
    module, side = plain_module(name)
    check_identity(adopt(module, input_size=side), module, side)


@pytest.mark.parametrize(
    ("name", "part"),
    few(
        [
            ("torchvision/alexnet", "ReLU"),
            ("timm/mobilenetv3_small_050", "Hardswish"),
            ("timm/vit_tiny_patch16_224", "token"),
            ("timm/nothing", "timm/nothing"),
            ("resnet50", "resnet50"),
        ],
        0,
    ),
)
def test_a_published_network_that_cannot_be_taken_is_refused(name: str, part: str) -> None:
    with refused(part):
        create("published", {"num_classes": 3, "name": name})


@pytest.mark.slow
def test_weights_by_the_publisher_s_names_are_taken_with_their_classifier(tmp_path) -> None:
    module, side = plain_module("timm/convnext_atto")
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    arguments = {
        "num_classes": None,
        "name": "timm/convnext_atto",
        "weights": str(tmp_path / "weights.pth"),
    }
    network = create("published", arguments)
    assert network.classes is not None
    assert network.classes[0] == "n01440764"
    check_identity(network, module, side)
    with refused("model.weights", "1000", "3", "model.reset_head=true"):
        create("published", {**arguments, "num_classes": 3})
    changed = create("published", {**arguments, "num_classes": 3, "reset_head": True})
    assert torch.equal(
        changed.trunk.features.stem[0].weight, network.trunk.features.stem[0].weight.float()
    )


@pytest.mark.slow
def test_weights_of_efficientnet_pytorch_are_translated(tmp_path) -> None:
    module, side = plain_module("timm/tf_efficientnet_lite0")
    names = ["_conv_stem.weight", *list(module.state_dict())[1:]]
    state = dict(zip(names, module.state_dict().values(), strict=True))
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    network = gapnet.published("timm/tf_efficientnet_lite0", weights=str(path))
    check_identity(network, module, side)
    for name in ("timm/efficientnet_lite0", "timm/tf_efficientnet_lite1"):
        with refused("model.weights", path):
            gapnet.published(name, weights=str(path))


def test_a_published_network_is_saved_and_loaded(tmp_path) -> None:
    arguments = {"name": "torchvision/shufflenet_v2_x0_5", "num_classes": 4}
    network = create("published", arguments).eval()
    save(network, tmp_path)
    images = torch.randn(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.equal(load(tmp_path)(images), network(images))
