"""The head alone learns first, then all layers."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from gapnet.training.classifier import Classifier
from gapnet.training.optim import OptimRecipe
from tests.refusals import refused
from tests.training.test_classifier import LOCALIZER, NO_VALIDATION, fit, tiny_gap
from tests.training.test_optim import recipe

STEPS, HEAD_STEPS = 8, 4  # of two epochs


class Changes(pl.Callback):
    """Callback that lists which parts of a network every step changes."""

    def __init__(self) -> None:
        self.parts: list[set[str]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, module: Classifier, *_: object) -> None:
        self.before = copied(module)

    def on_train_batch_end(self, trainer: pl.Trainer, module: Classifier, *_: object) -> None:
        after = copied(module)
        changed = {name for name, value in after.items() if not value.equal(self.before[name])}
        self.parts.append({name.partition(".")[0] for name in changed})


def copied(module: Classifier) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.network.state_dict().items()}


def classifier(**changes: object) -> Classifier:
    optim = OptimRecipe(torch.optim.AdamW, lr=0.01, weight_decay=0.1, head_first=0.5, **changes)
    network = tiny_gap(3, input_size=32, width=8)
    return Classifier(network, optim, LOCALIZER, total_steps=STEPS, iou=0.5, inclusive=True)


def test_weights_and_statistics_of_the_trunk_change_only_after_the_head_s_steps(
    shapes_root: Path, tmp_path: Path
) -> None:
    changes = Changes()
    fit(classifier(), shapes_root, tmp_path, callbacks=[changes], **NO_VALIDATION)
    assert changes.parts == [{"head"}] * HEAD_STEPS + [{"trunk", "head"}] * (STEPS - HEAD_STEPS)


def test_a_stage_that_is_frozen_stays_frozen_after_the_head_s_steps(
    shapes_root: Path, tmp_path: Path
) -> None:
    trained = classifier(freeze_until="0")
    before = copied(trained)
    fit(trained, shapes_root, tmp_path, **NO_VALIDATION)
    changed = {name for name, value in copied(trained).items() if not value.equal(before[name])}
    assert "trunk.1.0.weight" in changed
    assert not [name for name in changed if name.startswith("trunk.0.")]


@pytest.mark.slow
def test_a_training_stopped_in_the_head_s_steps_goes_on_bit_for_bit(
    shapes_root: Path, tmp_path: Path
) -> None:
    straight = classifier()
    start = copied(straight)
    fit(straight, shapes_root, tmp_path)
    half = classifier()
    half.network.load_state_dict(start)
    path = tmp_path / "half.ckpt"
    fit(half, shapes_root, tmp_path, epochs=1).save_checkpoint(path)
    resumed = classifier()
    fit(resumed, shapes_root, tmp_path, resume=path)
    for name, value in copied(straight).items():
        assert value.equal(copied(resumed)[name]), name


def test_the_schedule_of_all_layers_begins_after_the_head_s_steps() -> None:
    plain, late = recipe(warmup=0.5), recipe(warmup=0.5, head_first=0.5)
    assert [late.rate(step, 16) for step in range(8)] == [1.0] * 8
    assert [late.rate(8 + step, 16) for step in range(9)] == [
        plain.rate(step, 8) for step in range(9)
    ]


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_share_of_the_head_must_leave_steps(share: float) -> None:
    with refused("optim.head_first", share):
        recipe(head_first=share)


def test_batch_norms_can_keep_the_statistics_of_the_weights() -> None:
    trained = classifier(keep_statistics=True).train()
    norms = [part for part in trained.network.trunk.modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms
    assert not any(part.training for part in norms)
    assert all(part.weight.requires_grad for part in norms)
    assert trained.network.trunk[0][0].training
