"""Weights under other names, and weights of other variants."""

import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models import get_model

import gapnet
from gapnet.models import convert_weights, create
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.models.saved import save as save_network
from gapnet.models.weights.published import Timm, Torchvision
from tests.few import few
from tests.refusals import refused

SMALL = "torchvision/shufflenet_v2_x0_5"
TINY = "timm/test_efficientnet"


def write(state: dict[str, Tensor], folder: Path, name: str = "a.pth") -> Path:
    torch.save(state, folder / name)
    return folder / name


def prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


def check_logits(network: GapNet, module: nn.Module, side: int = 64) -> None:
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected, logits = module.eval()(images), network.eval()(images)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def module() -> nn.Module:
    torch.manual_seed(1)
    return get_model("shufflenet_v2_x0_5").eval()


@pytest.mark.parametrize("prefix", few(["module.model.", "model.", "backbone.", "network."], 1))
def test_prefixes_of_wrappers_are_taken_off(module: nn.Module, tmp_path: Path, prefix: str) -> None:
    path = write({"state_dict": prefixed(prefix, module.state_dict())}, tmp_path)
    check_logits(gapnet.published(SMALL, weights=str(path)), module)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "others"),
    [
        ("module.encoder_q.", ["module.encoder_k.conv1.0.weight", "module.queue"]),
        ("module.base_encoder.", ["module.momentum_encoder.a.weight", "module.predictor.0.weight"]),
    ],
)
def test_the_trunk_of_a_self_supervised_training_is_taken(
    module: nn.Module, tmp_path: Path, own: str, others: list[str]
) -> None:
    trunk = {name: value for name, value in module.state_dict().items() if name[:3] != "fc."}
    state = prefixed(own, trunk | {"fc.0.weight": torch.ones(3, 3), "fc.2.bias": torch.ones(3)})
    path = write({"state_dict": state | {name: torch.ones(2) for name in others}}, tmp_path)
    arguments = {"name": SMALL, "weights": str(path)}
    network = create("published", {**arguments, "num_classes": 4, "reset_head": True})
    conv = "conv5.0.weight"
    assert torch.equal(network.trunk.get_parameter(f"features.{conv}"), trunk[conv])
    with refused("model.weights", path, "model.reset_head=true"):
        create("published", {**arguments, "num_classes": None})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("torchvision", "of_timm"),
    [
        ("efficientnet_b0", "efficientnet_b0"),
        ("mobilenet_v2", "mobilenetv2_100"),
        ("mnasnet1_0", "mnasnet_100"),
        ("resnet18", "resnet18"),
    ],
)
def test_torchvision_and_timm_exchange_weights_of_the_same_network(
    torchvision: str, of_timm: str, tmp_path: Path
) -> None:
    one, other = get_model(torchvision), timm.create_model(of_timm)
    for part in one.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_var, 0.01, 1)  # so that the epsilon matters
    path = write(one.state_dict(), tmp_path)
    check_logits(gapnet.published(f"timm/{of_timm}", weights=str(path)), one)
    path = write(other.state_dict(), tmp_path)
    check_logits(gapnet.published(f"torchvision/{torchvision}", weights=str(path)), other)


@pytest.mark.slow
def test_torchvision_s_old_files_of_densenet_are_read(tmp_path: Path) -> None:
    module = get_model("densenet121")
    old = {
        name.replace(".norm1.", ".norm.1.")
        .replace(".norm2.", ".norm.2.")
        .replace(".conv1.", ".conv.1.")
        .replace(".conv2.", ".conv.2."): value
        for name, value in module.state_dict().items()
    }
    assert set(old) != set(module.state_dict())
    network = gapnet.published("torchvision/densenet121", weights=str(write(old, tmp_path)))
    check_logits(network, module)


@pytest.mark.slow
def test_timm_renames_weights_of_the_first_publisher(tmp_path: Path) -> None:
    module = timm.create_model("convnext_atto")
    renamed = {
        name.replace("stages.", "stages.", 1)
        .replace("stem.", "downsample_layers.0.")
        .replace(".blocks.", ".")
        .replace("head.norm.", "norm.")
        .replace("head.fc.", "head.")
        .replace("mlp.fc1", "pwconv1")
        .replace("mlp.fc2", "pwconv2")
        .replace("conv_dw", "dwconv"): value
        for name, value in module.state_dict().items()
    }
    first = {}
    for name, value in renamed.items():
        stage, _, rest = name.removeprefix("stages.").partition(".downsample.")
        first[f"downsample_layers.{stage}.{rest}" if rest else name] = value
    network = gapnet.published("timm/convnext_atto", weights=str(write(first, tmp_path)))
    check_logits(network, module)


def test_the_same_sizes_under_unknown_names_can_be_converted(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = timm.create_model("test_efficientnet").eval()
    state = {f"x{index}.{name.rpartition('.')[2]}": value
             for index, (name, value) in enumerate(module.state_dict().items())}  # fmt: skip
    path = write(state, tmp_path)
    with refused("model.weights", path, "gapnet.models.convert_weights", "test_efficientnet"):
        gapnet.published(TINY, weights=str(path))
    converted = convert_weights(path, TINY, tmp_path / "b.safetensors")
    assert torch.equal(load_file(converted)["conv_stem.weight"], module.conv_stem.weight)
    check_logits(gapnet.published(TINY, weights=str(converted)), module)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("resnet18", ["model.name=resnet18"]),
        ("timm/nix", ["model.name=timm/nix"]),
        ("torchvision/nix", ["model.name=torchvision/nix"]),
        ("timm/test_resnet", ["timm/test_resnet"]),
    ],
)
def test_weights_that_cannot_be_converted_are_refused(
    tmp_path: Path, name: str, parts: list[str]
) -> None:
    path = write({"a.weight": torch.ones(2)}, tmp_path)
    with refused(*parts):
        convert_weights(path, name, tmp_path / "b.safetensors")
    assert not (tmp_path / "b.safetensors").exists()


LITE = "efficientnet_lite0"


def test_a_file_that_names_another_variant_is_refused(tmp_path: Path) -> None:
    state = {"conv_stem.weight": torch.ones(1)}
    path = write(state, tmp_path, f"tf_{LITE}-0aa007d2.pth")
    network = create("tiny_gap", {"num_classes": 2, "input_size": 32})
    network.published = Timm(LITE)
    with refused("model.weights", path, f"tf_{LITE}"):
        gapnet.models.weights.load.take_file(network, path, reset_head=False)


@pytest.mark.parametrize("architecture", [f"tf_{LITE}", "resnet50"])
def test_a_hub_folder_of_another_network_of_timm_is_refused(
    tmp_path: Path, architecture: str
) -> None:
    save_file({"conv_stem.weight": torch.ones(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": architecture}))
    network = create("tiny_gap", {"num_classes": 2, "input_size": 32})
    network.published = Timm(f"{LITE}.ra_in1k")
    with refused("model.weights", architecture):
        gapnet.models.weights.load.take_file(network, tmp_path, reset_head=False)


@pytest.mark.slow
def test_a_regnet_is_saved_and_loaded(tmp_path: Path) -> None:
    """torchvision cannot build it on the meta device."""
    network = create("published", {"num_classes": 3, "name": "torchvision/regnet_y_400mf"}).eval()
    save_network(network, tmp_path)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(load(tmp_path)(images), network(images))
    assert "stem.0.weight" in Torchvision("regnet_y_400mf").layout()
