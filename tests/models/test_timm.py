"""Networks of timm, next to timm's own feature interface."""

from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from gapnet.models import create
from gapnet.models.weights import published
from tests.refusals import refused

NETWORKS = [
    "convnext_atto",
    "resnet10t",
    "efficientnet_lite0",
    "regnetx_002",
    "mobilenetv3_small_050",
]
TINY = ["test_byobnet", "test_convnext", "test_efficientnet", "test_mambaout", "test_resnet"]
SIZE = {"num_classes": 4, "input_size": 64}


@pytest.mark.parametrize(
    ("name", "stage"),
    [(name, -2) for name in TINY]
    + [
        pytest.param(name, stage, marks=pytest.mark.slow) for name in NETWORKS for stage in (-1, -2)
    ],
)
@torch.no_grad()
def test_the_trunk_gives_what_timm_s_network_gives_there(
    name: str, stage: int, tmp_path: Path
) -> None:
    theirs = timm.create_model(name).eval()
    save_file(theirs.state_dict(), tmp_path / "a.safetensors")
    path = str(tmp_path / "a.safetensors")
    mine = create("timm_gap", {**SIZE, "name": name, "stage": stage, "weights": path}).eval()
    images = torch.randn(2, 3, 64, 64)
    seen: list[torch.Tensor] = []
    at = theirs.get_submodule(theirs.feature_info[stage]["module"])
    with at.register_forward_hook(lambda layer, inputs, output: seen.append(output)):
        theirs(images)
    expected = seen[0].permute(0, 3, 1, 2) if "mambaout" in name else seen[0]
    torch.testing.assert_close(mine.trunk(images), expected)


@pytest.mark.slow
def test_a_network_of_parallel_branches_gets_its_weights_too(tmp_path: Path) -> None:
    state = timm.create_model("hrnet_w18_small").state_dict()
    save_file(state, tmp_path / "a.safetensors")
    path = str(tmp_path / "a.safetensors")
    mine = create("timm_gap", {**SIZE, "name": "hrnet_w18_small", "weights": path})
    for name, value in mine.trunk.features.state_dict().items():
        assert torch.equal(value, state[name]), name


@pytest.mark.slow
def test_the_input_and_its_normalisation_are_those_of_timm_s_weights() -> None:
    with torch.device("meta"):
        facts = create("timm_gap", {"num_classes": 4, "name": "tf_efficientnet_lite0"}).facts
    assert facts.input_size == (224, 224)
    assert facts.mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"name": "convnext_tyny"}, ["model.name=convnext_tyny", "convnext_atto"]),
        ({"name": "qqq"}, ["model.name=qqq", "timm.list_models"]),
        ({"name": "test_resnet", "stage": 7}, ["model.stage=7", "test_resnet", "layer2"]),
    ],
)
def test_what_timm_does_not_have_is_named(arguments: dict, parts: list[str]) -> None:
    with refused(*parts):
        create("timm_gap", {**SIZE, **arguments})


@pytest.mark.slow
def test_another_network_s_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "FAMILIAR", ())  # building all of torchvision's takes a second
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "a.safetensors")
    arguments = {**SIZE, "name": "test_convnext", "weights": str(tmp_path / "a.safetensors")}
    with refused("a.safetensors", "timm_gap", "stages.0.blocks.0.gamma", "bn1.bias"):
        create("timm_gap", arguments)


def test_weights_that_cannot_be_had_say_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> None:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no network")

    monkeypatch.setattr(published, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(published, "hf_hub_download", offline)
    url = "https://huggingface.co/timm/test_resnet.r160_in1k"
    with refused("model.pretrained=true", url, "model.weights=FILE"):
        create("timm_gap", {**SIZE, "name": "test_resnet", "pretrained": True})


def test_weights_come_from_the_hub_s_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = timm.create_model("test_resnet").state_dict()
    save_file(state, tmp_path / "model.safetensors")
    monkeypatch.setattr(
        published, "try_to_load_from_cache", lambda *_: str(tmp_path / "model.safetensors")
    )
    network = create("timm_gap", {**SIZE, "name": "test_resnet", "pretrained": True})
    assert torch.equal(
        network.trunk.get_parameter("features.layer1.0.conv1.weight"),
        state["layer1.0.conv1.weight"],
    )
