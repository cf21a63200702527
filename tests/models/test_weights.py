"""Weights from files and publishers: strictly, and with one line where they do not fit."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models import GapNet, create
from gapnet.models.saved import network_description

SMALL = {"num_classes": 9, "input_size": 64}


@pytest.fixture(scope="module")
def resnet18() -> dict[str, Tensor]:
    return torchvision.models.resnet18(num_classes=9).state_dict()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def save(state: object, folder: Path, name: str = "a.pth") -> str:
    torch.save(state, folder / name)
    return str(folder / name)


def take(path: str, name: str = "resnet18_gap", **arguments: object) -> GapNet:
    return create(name, {**SMALL, "weights": path, **arguments})


def test_a_safetensors_file_of_torchvision_s_weights_is_taken(
    resnet18: dict, tmp_path: Path
) -> None:
    save_file(resnet18, tmp_path / "a.safetensors")
    network = take(str(tmp_path / "a.safetensors"))
    assert torch.equal(network.trunk.get_parameter("conv1.weight"), resnet18["conv1.weight"])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"state_dict": state},
        lambda state: {f"module.{name}": value for name, value in state.items()},
    ],
)
def test_what_training_scripts_wrap_a_state_dict_in_is_taken_off(
    resnet18: dict, tmp_path: Path, wrap
) -> None:
    network = take(save(wrap(resnet18), tmp_path))
    assert torch.equal(network.trunk.get_parameter("conv1.weight"), resnet18["conv1.weight"])


def test_old_files_without_counters_are_taken(resnet18: dict, tmp_path: Path) -> None:
    old = {name: each for name, each in resnet18.items() if "num_batches" not in name}
    take(save(old, tmp_path))


def test_missing_and_unexpected_names_are_listed_shortly(resnet18: dict, tmp_path: Path) -> None:
    state = dict(resnet18, more=torch.zeros(1))
    for name in [name for name in state if name.startswith("layer3")]:
        del state[name]
    with pytest.raises(GapnetError) as caught:
        take(save(state, tmp_path))
    message = str(caught.value)
    assert message.endswith(
        "a.pth: does not fit resnet18_gap: 25 missing (layer3.0.bn1.bias, "
        "layer3.0.bn1.running_mean, layer3.0.bn1.running_var and 22 more), 1 unexpected (more)"
    )


def test_weights_of_another_size_are_told(resnet18: dict, tmp_path: Path) -> None:
    state = dict(resnet18, **{"layer1.0.bn1.weight": torch.zeros(3)})
    told = r"1 of another size \(trunk.layer1.0.bn1.weight is 3, not 64\)"
    with pytest.raises(GapnetError, match=told):
        take(save(state, tmp_path))


@pytest.mark.parametrize("other", ["resnet34", pytest.param("googlenet", marks=pytest.mark.slow)])
def test_another_network_of_torchvision_is_refused_by_name(other: str, tmp_path: Path) -> None:
    extra = {"init_weights": False} if other == "googlenet" else {}
    state = torchvision.models.get_model(other, weights=None, num_classes=2, **extra).state_dict()
    told = f"torchvision's {other}, .* resnet18$"
    with pytest.raises(GapnetError, match=told):
        take(save(state, tmp_path))


def checkpoint(network: GapNet, classes: list[str] | None) -> dict:
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    told = network_description(network) | {"classes": classes}
    return {"state_dict": state, "hyper_parameters": {"network": told}}


LETTERS = list("abcdefghi")


def test_a_checkpoint_brings_its_weights_and_its_classes(tmp_path: Path) -> None:
    network = create("resnet18_gap", SMALL)
    again = take(save(checkpoint(network, LETTERS), tmp_path, "a.ckpt"))
    assert again.classes == tuple(LETTERS)
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


@pytest.mark.slow
def test_weights_of_the_right_shape_but_of_another_network_are_refused_by_name(
    tmp_path: Path,
) -> None:
    """Both have ResNet-50's weights, name for name; they see with other strides."""
    network = create("resnet50_gap", {**SMALL, "width": None})
    path = save(checkpoint(network, LETTERS), tmp_path, "a.ckpt")
    with pytest.raises(GapnetError, match=r"of resnet50_gap\(.*, not of resnet50"):
        take(path, "resnet50")


@pytest.mark.parametrize(
    ("saved", "asked"),
    [
        (("resnet18_gap", {"map_size": 7}), ("resnet18_gap", {"map_size": 28})),
        (
            ("timm_gap", {"name": "efficientnet_b0"}),
            ("timm_gap", {"name": "tf_efficientnet_b0"}),
        ),
    ],
)
def test_arguments_that_make_another_network_are_refused_too(
    saved: tuple, asked: tuple, tmp_path: Path
) -> None:
    network = create(saved[0], {**SMALL, **saved[1]})
    path = save(checkpoint(network, LETTERS), tmp_path, "a.ckpt")
    with pytest.raises(GapnetError, match=r"the weights of .*, not of"):
        create(asked[0], {**SMALL, **asked[1], "weights": path})


def test_max_pooling_may_start_from_average_pooling(tmp_path: Path) -> None:
    network = create("resnet18_gap", SMALL)
    path = save(checkpoint(network, LETTERS), tmp_path, "a.ckpt")
    again = take(path, pool="max")
    assert torch.equal(again.head.linear.weight, network.head.linear.weight)


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
    with pytest.raises(GapnetError, match="of another size"):
        create("timm_gap", {**SMALL, **arguments})


def test_a_classifier_of_another_size_is_an_error_unless_it_may_be_reset(tmp_path: Path) -> None:
    network = create("resnet18_gap", {**SMALL, "num_classes": 4})
    path = save(checkpoint(network, list("abcd")), tmp_path, "a.ckpt")
    told = "classifies 4 classes, the data set has 9; model.reset_head=true"
    with pytest.raises(GapnetError, match=told):
        take(path)
    fresh = take(path, reset_head=True)
    assert fresh.classes is None
    assert fresh.num_classes == 9
    conv = "head.conv.0.weight"
    assert torch.equal(fresh.state_dict()[conv], network.state_dict()[conv])


def test_an_unmodified_network_keeps_its_classifier_or_is_told_to_reset_it(
    resnet18: dict, tmp_path: Path
) -> None:
    path = save(resnet18, tmp_path)
    kept = take(path, width=None)
    assert torch.equal(kept.head.linear.weight, resnet18["fc.weight"])
    with pytest.raises(GapnetError, match="classifies 9 classes, the data set has 5"):
        take(path, width=None, num_classes=5)
    assert take(path, width=None, num_classes=5, reset_head=True).num_classes == 5


def test_a_grey_network_adds_up_the_colours_of_a_file(resnet18: dict, tmp_path: Path) -> None:
    network = take(save(resnet18, tmp_path), in_channels=1)
    expected = resnet18["conv1.weight"].sum(1, keepdim=True)
    assert torch.equal(network.trunk.get_parameter("conv1.weight"), expected)


@pytest.mark.slow
def test_a_layer_that_a_released_definition_replaces_stays_new(tmp_path: Path) -> None:
    state = torchvision.models.alexnet().state_dict()
    network = create(
        "alexnet_star_gap", {**SMALL, "profile": "caffe", "weights": save(state, tmp_path)}
    )
    conv4 = network.trunk.get_parameter("features.8.weight")
    assert torch.equal(conv4, state["features.8.weight"])
    assert network.trunk.get_parameter("features.10.weight").shape[0] == 384


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"weights": "nowhere.pth"}, "model.weights=nowhere.pth: no such file or folder"),
        ({"pretrained": True, "weights": "a.pth"}, "model.weights=a.pth: choose one"),
        ({"reset_head": True}, "model.reset_head=true: "),
        ({"in_channels": 4}, "model.in_channels=4: "),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict, told: str) -> None:
    with pytest.raises(GapnetError, match=told):
        create("tiny_gap", {**SMALL, **arguments})


def test_a_network_that_nobody_publishes_says_so() -> None:
    with pytest.raises(GapnetError, match=r"model\.pretrained=true: .* nin"):
        create("nin", {**SMALL, "input_size": 96, "pretrained": True})


def test_a_state_dict_by_the_network_s_own_names_is_taken(tmp_path: Path) -> None:
    network = create("tiny_gap", SMALL)
    again = take(save(network.state_dict(), tmp_path), "tiny_gap")
    assert torch.equal(again.head.linear.weight, network.head.linear.weight)


def test_published_weights_come_from_the_hub_s_cache(cache: Path) -> None:
    cache.mkdir(parents=True)
    state = torchvision.models.resnet18().state_dict()
    torch.save(state, cache / "resnet18-f37072fd.pth")
    network = create("resnet18_gap", {**SMALL, "pretrained": True})
    assert torch.equal(network.trunk.get_parameter("conv1.weight"), state["conv1.weight"])
    assert network.facts.weights == "ResNet18_Weights.IMAGENET1K_V1"
    assert "pretrained" not in network.arguments


def test_published_weights_that_cannot_be_had_say_where_they_are_and_go(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(GapnetError) as caught:
        create("resnet18_gap", {**SMALL, "pretrained": True})
    assert str(caught.value) == (
        "model.pretrained=true: ResNet18_Weights.IMAGENET1K_V1 is not on this machine and cannot "
        "be downloaded (no network); get https://download.pytorch.org/models/resnet18-f37072fd.pth "
        f"and put it at {cache / 'resnet18-f37072fd.pth'}"
    )


def test_a_damaged_file_in_the_cache_is_named(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(b"half a file")
    with pytest.raises(GapnetError, match=r"resnet18-f37072fd\.pth: is truncated"):
        create("resnet18_gap", {**SMALL, "pretrained": True})


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet50"])
def test_the_weights_are_pinned_to_the_recipe_of_the_paper_s_time(name: str) -> None:
    with torch.device("meta"):
        published = create(name, {"num_classes": 1000}).published
    assert published is not None
    assert published.title.endswith("_Weights.IMAGENET1K_V1")


SEVERAL = [pytest.param(name, marks=pytest.mark.slow) for name in ("repvgg_a0", "mobileone_s0")]


@pytest.mark.parametrize("name", [*SEVERAL, "resnet10t"])
def test_each_conv_that_sees_the_image_is_made_grey(name: str, tmp_path: Path) -> None:
    state = timm.create_model(name).state_dict()
    arguments = {"name": name, "weights": save(state, tmp_path)}
    colour = create("timm_gap", {**SMALL, **arguments}).eval()
    grey = create("timm_gap", {**SMALL, **arguments, "in_channels": 1}).eval()
    image = torch.randn(1, 1, 64, 64)
    expected = colour.trunk(image.expand(-1, 3, -1, -1))
    assert (grey.trunk(image) - expected).norm() < 1e-4 * expected.norm()


def test_a_network_that_does_not_begin_with_a_conv_says_so() -> None:
    with pytest.raises(GapnetError, match="in_channels=1: Stage "):
        create("timm_gap", {**SMALL, "name": "tresnet_m", "in_channels": 1})
