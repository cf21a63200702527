"""Names of classes travel with the network, and are text everywhere."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import gapnet
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load, network_description, save
from gapnet.models.weights.files import WEIGHTS
from gapnet.report.model_card import model_card
from tests.models.conftest import for_imagenet

HOSTILE = "<img src=x onerror=alert(1)>"


def network(names: list[str] | None = None) -> GapNet:
    made = gapnet.create_model("tiny_gap", 2, input_size=32, width=8).eval()
    made.set_classes(["c1", "n02123045"], names)
    return made


def checkpoint(made: GapNet, folder: Path, **changes: object) -> Path:
    state = {f"network.{name}": value for name, value in made.state_dict().items()}
    description = network_description(made) | changes
    content = {"hyper_parameters": {"network": description}, "state_dict": state}
    torch.save(content, folder / "a.ckpt")
    return folder / "a.ckpt"


def test_names_come_back_from_a_checkpoint_and_an_export(tmp_path: Path) -> None:
    made = network([HOSTILE, "house cat"])
    assert load(checkpoint(made, tmp_path)).class_names == [HOSTILE, "house cat"]
    save(made, tmp_path / "hub")
    assert load(tmp_path / "hub").class_names == [HOSTILE, "house cat"]


def test_an_export_names_its_classes_for_other_tools(tmp_path: Path) -> None:
    save(network(["first", "second"]), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["class_names"] == ["first", "second"]
    with safe_open(tmp_path / WEIGHTS, framework="pt") as file:
        described = json.loads(file.metadata()["gapnet"])
    assert described["class_names"] == ["first", "second"]


def test_a_file_without_names_has_those_of_wordnet_or_ids(tmp_path: Path) -> None:
    made = network(["first", "second"])
    path = checkpoint(made, tmp_path, class_names=None)
    assert load(path).class_names == ["c1", "tabby"]
    content = torch.load(path, weights_only=True)
    del content["hyper_parameters"]["network"]["class_names"]  # as earlier versions wrote it
    torch.save(content, path)
    assert load(path).class_names == ["c1", "tabby"]


def test_a_synset_that_a_data_set_does_not_name_has_its_word() -> None:
    assert network(["c1", "n02123045"]).class_names == ["c1", "tabby"]


def test_names_of_other_classes_are_forgotten() -> None:
    made = network(["first", "second"])
    made.set_classes(["a", "b"])
    assert made.class_names == ["a", "b"]
    made.set_classes(None)
    assert made.class_names == made.class_ids == ["0", "1"]


def test_weights_bring_their_names(tmp_path: Path) -> None:
    path = checkpoint(network(["first", "second"]), tmp_path)
    arguments = {"input_size": 32, "width": 8, "weights": str(path)}
    assert gapnet.create_model("tiny_gap", 2, **arguments).class_names == ["first", "second"]
    other = gapnet.create_model("tiny_gap", 3, reset_head=True, **arguments)
    assert other.class_names == ["0", "1", "2"]


@pytest.mark.parametrize("wanted", ["House Cat", "TABBY", "n02123045", 1])
def test_an_explanation_uses_the_names(wanted: str | int) -> None:
    images = torch.zeros(3, 40, 40)
    (seen,) = gapnet.explain(network([HOSTILE, "house cat"]), images, [wanted])
    assert seen.names == ["house cat"]


def test_a_name_is_text_in_a_figure_and_a_card(tmp_path: Path) -> None:
    made = network([HOSTILE + "$\\frac$", "a|b"])
    (seen,) = gapnet.explain(made, torch.zeros(3, 40, 40), [0])
    seen.plot().savefig(tmp_path / "plot.png")  # mathematics in a title would raise an error
    card = model_card(made, {}, [])
    assert "<img" not in card.replace("\\<img", "")
    assert "a\\|b" in card


def test_a_card_lists_the_first_classes() -> None:
    made = for_imagenet("resnet18_gap")
    ids = [f"n{number:08d}" for number in range(1000)]
    made.set_classes(ids)
    assert ", ".join(ids[:10]) + " and 990 more" in model_card(made, {}, [])
    made.set_classes(None)
