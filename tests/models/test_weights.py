"""Weights from files and publishers: strictly, and with one line where they do not fit."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from gapnet.models import CamHead, Facts, GapNet, create
from gapnet.models.saved import network_description
from gapnet.models.surgery import initialise
from gapnet.models.weights import published
from tests.refusals import refused

TINY = {"num_classes": 9, "input_size": 64}
SMALL = {**TINY, "width": 8}  # of the added conv
THIN = {**SMALL, "thin": 8}
LETTERS = list("abcdefghi")


def thinned(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take an eighth of the units of every layer; only numbers of units are 64 or more."""
    return {
        name: value[tuple(slice(side // 8 if side >= 64 else side) for side in value.shape)].clone()
        for name, value in state.items()
    }


@pytest.fixture(scope="module")
def alexnet() -> dict[str, Tensor]:
    """Return a thin AlexNet's weights by torchvision's names; the network needs no others."""
    with torch.device("meta"):
        network = torchvision.models.alexnet(num_classes=9)
    network.classifier = nn.Identity()
    return thinned(initialise(network.to_empty(device="cpu")).state_dict())


@pytest.fixture(scope="module")
def resnet18() -> dict[str, Tensor]:
    return thinned(torchvision.models.resnet18(num_classes=9).state_dict())


@pytest.fixture(autouse=True)
def familiar(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recognise a few networks of torchvision only, because building all takes a second."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(published, "FAMILIAR", ("alexnet", "resnet18", "mobilenet_v2"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def save(state: object, folder: Path, name: str = "a.pth") -> str:
    torch.save(state, folder / name)
    return str(folder / name)


def take(path: str, name: str = "alexnet_gap", **arguments: object) -> GapNet:
    return create(name, {**THIN, "weights": path, **arguments})


def take_tiny(path: str, **arguments: object) -> GapNet:
    return create("tiny_gap", {**TINY, "weights": path, **arguments})


def assert_taken(network: GapNet, state: dict[str, Tensor]) -> None:
    for name, value in network.trunk.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_a_safetensors_file_of_torchvision_s_weights_is_taken(
    alexnet: dict, tmp_path: Path
) -> None:
    save_file(alexnet, tmp_path / "a.safetensors")
    assert_taken(take(str(tmp_path / "a.safetensors")), alexnet)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"state_dict": state},
        lambda state: {f"module.{name}": value for name, value in state.items()},
    ],
)
def test_what_training_scripts_wrap_a_state_dict_in_is_taken_off(
    alexnet: dict, tmp_path: Path, wrap
) -> None:
    assert_taken(take(save(wrap(alexnet), tmp_path)), alexnet)


@pytest.mark.slow
def test_old_files_without_counters_are_taken(resnet18: dict, tmp_path: Path) -> None:
    old = {name: value for name, value in resnet18.items() if "num_batches" not in name}
    network = take(save(old, tmp_path), "resnet18_gap")
    assert_taken(network, resnet18)  # a counter starts at 0


def test_missing_and_unexpected_names_are_listed_shortly(alexnet: dict, tmp_path: Path) -> None:
    names = [f"features.{layer}.{kind}" for layer in (3, 6) for kind in ("bias", "weight")]
    state = {name: value for name, value in alexnet.items() if name not in names}
    with refused(tmp_path / "a.pth", "alexnet_gap", 4, *names[:3], 1, "more", "other"):
        take(save(state | {"other": torch.zeros(1)}, tmp_path))


def test_weights_of_another_size_are_an_error(alexnet: dict, tmp_path: Path) -> None:
    state = alexnet | {"features.0.bias": torch.zeros(3)}
    with refused("a.pth", "trunk.features.0.bias", 3, 8):
        take(save(state, tmp_path))


@pytest.mark.parametrize(
    "other", ["mobilenet_v2", pytest.param("googlenet", marks=pytest.mark.slow)]
)
def test_another_network_of_torchvision_is_refused_by_name(other: str, tmp_path: Path) -> None:
    layout = published.torchvision_layout(other)
    state = {name: torch.zeros(size) for name, size in layout.items()}
    with refused(f"torchvision's {other}", "alexnet_gap", "alexnet"):
        create("alexnet_gap", {**SMALL, "weights": save(state, tmp_path)})


def checkpoint(network: GapNet, classes: list[str] | None) -> dict:
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    description = network_description(network) | {"classes": classes}
    return {"state_dict": state, "hyper_parameters": {"network": description}}


def test_a_checkpoint_brings_its_weights_and_its_classes(tmp_path: Path) -> None:
    network = create("tiny_gap", TINY)
    again = take_tiny(save(checkpoint(network, LETTERS), tmp_path, "a.ckpt"))
    assert again.classes == tuple(LETTERS)
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


@pytest.mark.slow
def test_weights_of_the_right_shape_but_of_another_network_are_refused_by_name(
    tmp_path: Path,
) -> None:
    """Both have ResNet-50's weights, name for name; they see with other strides."""
    network = create("resnet50_gap", {**THIN, "width": None})
    path = save(checkpoint(network, LETTERS), tmp_path, "a.ckpt")
    with refused("a.ckpt", "resnet50_gap", "resnet50"):
        create("resnet50", {**TINY, "thin": 8, "weights": path})


@pytest.mark.parametrize(
    ("name", "saved", "asked"),
    [
        ("tiny_gap", {"width": 8}, {"width": 16}),
        pytest.param(*("resnet18_gap", {"map_size": 7}, {"map_size": 28}), marks=pytest.mark.slow),
        pytest.param(
            *("timm_gap", {"name": "efficientnet_b0"}, {"name": "tf_efficientnet_b0"}),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_arguments_that_make_another_network_are_refused_too(
    name: str, saved: dict, asked: dict, tmp_path: Path
) -> None:
    path = save(checkpoint(create(name, {**TINY, **saved}), LETTERS), tmp_path, "a.ckpt")
    texts = [f"{key}={value}" for values in (saved, asked) for key, value in values.items()]
    with refused("a.ckpt", name, *texts):
        create(name, {**TINY, **asked, "weights": path})


def test_max_pooling_may_start_from_average_pooling(tmp_path: Path) -> None:
    network = create("tiny_gap", TINY)
    path = save(checkpoint(network, LETTERS), tmp_path, "a.ckpt")
    again = take_tiny(path, pool="max")
    assert torch.equal(again.head.linear.weight, network.head.linear.weight)


@pytest.mark.slow
def test_a_published_classifier_brings_the_ids_of_its_classes(cache: Path) -> None:
    cache.mkdir(parents=True)
    torch.save(torchvision.models.resnet18().state_dict(), cache / "resnet18-f37072fd.pth")
    whole = {"num_classes": 1000, "input_size": 64, "width": None, "pretrained": True}
    classes = create("resnet18_gap", whole).classes
    assert classes is not None
    assert (len(classes), classes[0], classes[-1]) == (1000, "n01440764", "n15075141")
    assert list(classes) == sorted(classes)
    assert create("resnet18_gap", {**whole, "reset_head": True}).classes is None


@pytest.mark.slow
def test_a_depthwise_conv_takes_no_kernel_of_three_channels(tmp_path: Path) -> None:
    state = timm.create_model("mobilenetv2_050").state_dict()
    name = "blocks.0.0.conv_dw.weight"
    state[name] = state[name].expand(-1, 3, -1, -1).clone()
    arguments = {"name": "mobilenetv2_050", "weights": save(state, tmp_path)}
    with refused("a.pth", "trunk.features.blocks.0.0.conv_dw.weight"):
        create("timm_gap", {**SMALL, **arguments})


def test_a_classifier_of_another_size_is_an_error_unless_it_may_be_reset(tmp_path: Path) -> None:
    network = create("tiny_gap", {**TINY, "num_classes": 4})
    path = save(checkpoint(network, list("abcd")), tmp_path, "a.ckpt")
    with refused("a.ckpt", 4, 9, "model.reset_head=true"):
        take_tiny(path)
    fresh = take_tiny(path, reset_head=True)
    assert fresh.classes is None
    assert fresh.num_classes == 9
    assert_taken(fresh, network.trunk.state_dict())


@pytest.mark.slow
def test_an_unmodified_network_keeps_its_classifier_or_must_reset_it(
    resnet18: dict, tmp_path: Path
) -> None:
    path, plain = save(resnet18, tmp_path), {"name": "resnet18_gap", "width": None}
    network = take(path, **plain)
    assert torch.equal(network.head.linear.weight, resnet18["fc.weight"])
    with refused("a.pth", 9, 5, "model.reset_head=true"):
        take(path, **plain, num_classes=5)
    assert take(path, **plain, num_classes=5, reset_head=True).num_classes == 5


def test_a_grey_network_adds_up_the_colours_of_a_file(alexnet: dict, tmp_path: Path) -> None:
    network = take(save(alexnet, tmp_path), in_channels=1)
    expected = alexnet["features.0.weight"].sum(1, keepdim=True)
    assert torch.equal(network.trunk.get_parameter("features.0.weight"), expected)


@pytest.mark.slow
def test_a_layer_that_a_released_definition_replaces_stays_new(tmp_path: Path) -> None:
    state = torchvision.models.alexnet().features.state_dict(prefix="features.")
    network = create(
        "alexnet_star_gap", {**TINY, "profile": "caffe", "weights": save(state, tmp_path)}
    )
    conv4 = network.trunk.get_parameter("features.8.weight")
    assert torch.equal(conv4, state["features.8.weight"])
    assert network.trunk.get_parameter("features.10.weight").shape[0] == 384


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"weights": "nowhere.pth"}, ["model.weights=nowhere.pth"]),
        ({"reset_head": True}, ["model.reset_head=true"]),
        ({"in_channels": 4}, ["model.in_channels=4"]),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict, parts: list[str]) -> None:
    with refused(*parts):
        create("tiny_gap", {**TINY, **arguments})


def test_a_network_that_nobody_publishes_says_so() -> None:
    with refused("model.pretrained=true", "nin"):
        create("nin", {**TINY, "input_size": 96, "pretrained": True})


def test_a_state_dict_by_the_network_s_own_names_is_taken(tmp_path: Path) -> None:
    network = create("tiny_gap", TINY)
    again = take_tiny(save(network.state_dict(), tmp_path))
    assert torch.equal(again.head.linear.weight, network.head.linear.weight)


def test_a_file_takes_the_place_of_the_published_weights(tmp_path: Path) -> None:
    network = create("tiny_gap", TINY)
    path = save(network.state_dict(), tmp_path)
    again = create("tiny_gap", {**TINY, "pretrained": True, "weights": path})
    assert torch.equal(again.head.linear.weight, network.head.linear.weight)


ALEXNET = "alexnet-owt-7be5be79.pth"


def test_published_weights_come_from_the_hub_s_cache(cache: Path) -> None:
    cache.mkdir(parents=True)
    network = create("alexnet_gap", SMALL)
    state = network.trunk.state_dict()
    torch.save(state, cache / ALEXNET)
    network = create("alexnet_gap", {**SMALL, "pretrained": True})
    assert_taken(network, state)
    assert network.facts.weights == "AlexNet_Weights.IMAGENET1K_V1"
    assert "pretrained" not in network.arguments


def test_published_weights_that_cannot_be_had_say_where_they_are_and_go(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    url = f"https://download.pytorch.org/models/{ALEXNET}"
    with refused("model.pretrained=true", "AlexNet_Weights.IMAGENET1K_V1", url, cache / ALEXNET):
        create("alexnet_gap", {**SMALL, "pretrained": True})


def test_a_damaged_file_in_the_cache_is_named(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / ALEXNET).write_bytes(b"half a file")
    with refused(cache / ALEXNET):
        create("alexnet_gap", {**SMALL, "pretrained": True})


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet50"])
def test_the_weights_are_pinned_to_the_recipe_of_the_paper_s_time(name: str) -> None:
    assert published.Torchvision(name).title.endswith("_Weights.IMAGENET1K_V1")


SEVERAL = [
    pytest.param("resnet10t", marks=pytest.mark.slow),
    pytest.param("repvgg_a0", marks=pytest.mark.slow),
    pytest.param("mobileone_s0", marks=pytest.mark.nightly),
]


@pytest.mark.parametrize("name", [*SEVERAL, "test_byobnet"])
@torch.no_grad()
@pytest.mark.slow
def test_each_conv_that_sees_the_image_is_made_grey(name: str, tmp_path: Path) -> None:
    state = timm.create_model(name).state_dict()
    arguments = {"name": name, "weights": save(state, tmp_path)}
    colour = create("timm_gap", {**SMALL, **arguments}).eval()
    grey = create("timm_gap", {**SMALL, **arguments, "in_channels": 1}).eval()
    image = torch.randn(1, 1, 64, 64)
    expected = colour.trunk(image.expand(-1, 3, -1, -1))
    assert (grey.trunk(image) - expected).norm() < 1e-4 * expected.norm()


class Normalising(nn.Module):
    """A trunk that uses the image in more than a conv."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: Tensor) -> Tensor:
        return self.norm(images)


def test_a_network_that_does_not_begin_with_a_conv_says_so() -> None:
    network = GapNet(Normalising(), CamHead(3, 2, added=None), Facts((8, 8), (8, 8)))
    with refused("in_channels=1", "Normalising"):
        network.see_grey()
