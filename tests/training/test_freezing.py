"""Frozen weights do not change by one bit."""

from pathlib import Path

import pytest
import torch
from torch import nn

from gapnet.models import GapNet, create
from gapnet.training.callbacks import MovingAverage
from gapnet.training.classifier import Classifier
from gapnet.training.freezing import freeze
from gapnet.training.optim import OptimRecipe
from tests.refusals import refused
from tests.training.test_classifier import LOCALIZER, NO_VALIDATION, fit

SMALL = {"num_classes": 3, "input_size": 48, "width": 8, "thin": 8}


def on_no_device(name: str) -> GapNet:
    with torch.device("meta"):
        return create(name, SMALL)


def module(name: str, **changes: object) -> Classifier:
    network = create(name, SMALL)
    recipe = OptimRecipe(torch.optim.AdamW, lr=0.01, weight_decay=0.1, **changes)
    return Classifier(network, recipe, LOCALIZER, total_steps=8, iou=0.5, inclusive=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "until", "stages"),
    [
        ("resnet18_gap", "layer2", ({"conv1", "bn1", "layer1", "layer2"}, {"layer3", "layer4"})),
        (
            "googlenet_gap",
            "inception3b",
            ({"conv1", "conv3", "inception3b"}, {"inception4a"}),
        ),
    ],
)
def test_frozen_stages_do_not_move_by_one_bit_and_the_others_do(
    name: str, until: str, stages: tuple[set[str], set[str]], shapes_root: Path, tmp_path: Path
) -> None:
    frozen, moving = stages
    trained = module(name, freeze_until=until)
    before = {name: value.clone() for name, value in trained.network.trunk.state_dict().items()}
    fit(trained, shapes_root, tmp_path, epochs=2)  # a validation lies between
    after = trained.network.trunk.state_dict()
    for stage in frozen:
        names = [name for name in before if name.startswith(f"{stage}.")]
        assert names
        assert all(torch.equal(before[name], after[name]) for name in names)
    for stage in moving:
        moved = [name for name in before if name.startswith(f"{stage}.")]
        assert not all(torch.equal(before[name], after[name]) for name in moved)


@pytest.mark.slow
def test_only_the_head_is_trained_if_that_is_asked(shapes_root: Path, tmp_path: Path) -> None:
    trained = module("resnet18_gap", train_only="head")
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    fit(trained, shapes_root, tmp_path, epochs=1, **NO_VALIDATION)
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("trunk."), name


@pytest.mark.slow
def test_an_average_of_frozen_weights_is_the_frozen_weights(
    shapes_root: Path, tmp_path: Path
) -> None:
    trained = module("resnet18_gap", freeze_until="layer1")
    before = {name: value.clone() for name, value in trained.network.trunk.state_dict().items()}
    average = MovingAverage(decay=0.9)
    fit(trained, shapes_root, tmp_path, epochs=1, callbacks=[average], **NO_VALIDATION)
    after = average._average_model.module.network.trunk.state_dict()
    for name, value in after.items():
        frozen = name.startswith(("conv1", "bn1", "layer1"))
        assert torch.equal(value, before[name]) or not frozen, name
    assert not torch.equal(after["layer4.1.conv2.weight"], before["layer4.1.conv2.weight"])


def test_frozen_norms_stay_in_eval_mode_whatever_mode_the_network_is_put_in() -> None:
    with torch.device("meta"):
        trained = module("resnet18_gap", freeze_until="layer1").eval().train()
    norms = {
        name: part.training
        for name, part in trained.network.trunk.named_modules()
        if isinstance(part, nn.BatchNorm2d)
    }
    for name, training in norms.items():
        assert training != name.startswith(("bn1", "layer1")), name


def test_a_block_within_a_stage_ends_where_it_is_named() -> None:
    network = on_no_device("resnet18_gap")
    freeze(network, until="layer2.0", train_only=None)
    for name, parameter in network.trunk.named_parameters():
        frozen = name.startswith(("conv1", "bn1", "layer1", "layer2.0"))
        assert parameter.requires_grad != frozen, name


def test_a_stage_in_a_nested_trunk_ends_where_it_is_named() -> None:
    network = on_no_device("vgg16_gap")
    freeze(network, until="features.4", train_only=None)
    frozen = {name for name, value in network.named_parameters() if not value.requires_grad}
    expected = {f"features.{place}.{kind}" for place in (0, 2) for kind in ("weight", "bias")}
    assert frozen == {f"trunk.{name}" for name in expected}


@pytest.mark.parametrize(
    ("name", "until", "train_only", "parts"),
    [
        ("resnet18_gap", "layer9", None, ["optim.freeze_until=layer9", "conv1", "bn1", "layer4"]),
        ("vgg16_gap", "conv1", None, ["optim.freeze_until=conv1", "features.0", "features.1"]),
        ("tiny_gap", "0", "head", ["optim.freeze_until=0", "train_only=head"]),
        ("tiny_gap", None, "trunk", ["optim.train_only=trunk"]),
    ],
)
def test_a_part_that_cannot_be_frozen_is_an_error(
    name: str, until: str | None, train_only: str | None, parts: list[str]
) -> None:
    with refused(*parts):
        freeze(on_no_device(name), until=until, train_only=train_only)
