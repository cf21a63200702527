import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch.nn.functional import cross_entropy

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.views import whole_view
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models import create
from gapnet.models.saved import load
from gapnet.models.zoo.tiny import tiny_gap
from gapnet.saliency.cam.cam import Cam
from gapnet.training.callbacks import MovingAverage
from gapnet.training.classifier import Classifier
from gapnet.training.optim import OptimRecipe

NO_VALIDATION = {"limit_val_batches": 0, "num_sanity_val_steps": 0}
LOCALIZER = Localizer(Cam(), ThresholdBoxer(), OnePerClass())


def classifier(classes: int = 3, **changes: object) -> Classifier:
    network = tiny_gap(classes, input_size=32, width=8)
    network.classes = tuple("abcdefgh"[:classes])
    recipe = OptimRecipe(torch.optim.SGD, lr=0.01)
    return Classifier(network, recipe, LOCALIZER, total_steps=8, iou=0.5, inclusive=True, **changes)


def data(root: Path) -> DataModule:
    return DataModule(
        Ilsvrc(root, test_split="test"),
        input_size=(48, 48),
        augment=whole_view,
        view=whole_view,
        batch_size=6,
        num_workers=0,
    )


def fit(
    module: Classifier,
    root: Path,
    folder: Path,
    *,
    epochs: int = 2,
    resume: Path | None = None,
    accelerator: str = "cpu",
    **changes: object,
) -> pl.Trainer:
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator=accelerator,
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **changes,
    )
    trainer.fit(module, data(root), ckpt_path=resume)
    return trainer


def test_the_loss_is_cross_entropy_on_normalised_images(shapes_root: Path) -> None:
    module = classifier(label_smoothing=0.1).eval()
    batch = next(iter(data(shapes_root).train_dataloader()))
    module.log = lambda *_, **__: None
    logits = module.network(module.network.normalise(batch.images))
    expected = cross_entropy(logits, batch.labels, label_smoothing=0.1)
    assert torch.equal(module.training_step(batch, 0), expected)


@pytest.mark.slow
def test_training_logs_its_errors_and_ends_at_rate_zero(shapes_root: Path, tmp_path: Path) -> None:
    trainer = fit(classifier(), shapes_root, tmp_path)
    assert {"train/loss", "val/top1_error", "val/gt_known_error"} <= set(trainer.callback_metrics)
    assert trainer.global_step == 8
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_channels_last_changes_the_layout_and_not_the_loss(shapes_root: Path) -> None:
    plain, last = classifier().eval(), classifier(channels_last=True).eval()
    last.load_state_dict(plain.state_dict())
    batch = next(iter(data(shapes_root).train_dataloader()))
    for module in (plain, last):
        module.log = lambda *_, **__: None
    torch.testing.assert_close(last.training_step(batch, 0), plain.training_step(batch, 0))
    weight = last.network.trunk[1][0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert last.input_of(batch.images).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_learns_the_same(shapes_root: Path, tmp_path: Path) -> None:
    plain, compiled = classifier(), classifier(compile=True)
    compiled.load_state_dict(plain.state_dict())
    for module in (plain, compiled):
        fit(module, shapes_root, tmp_path, epochs=1)
    assert set(compiled.state_dict()) == set(plain.state_dict())
    for name, value in plain.network.state_dict().items():
        torch.testing.assert_close(compiled.network.state_dict()[name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(shutil.which("gcc") is None, reason="torch.compile needs a C compiler")
def test_mixed_precision_compile_and_channels_last_learn(shapes_root: Path, tmp_path: Path) -> None:
    network = create("tiny_gap", {"num_classes": 3, "input_size": 48})
    recipe = OptimRecipe(torch.optim.SGD, lr=0.01)
    options = {"channels_last": True, "compile": True}
    module = Classifier(
        network, recipe, LOCALIZER, total_steps=8, iou=0.5, inclusive=True, **options
    )
    trainer = fit(module, shapes_root, tmp_path, accelerator="gpu", precision="bf16-mixed")
    assert torch.isfinite(trainer.callback_metrics["train/loss"])


def test_top5_error_is_watched_from_six_classes_on() -> None:
    assert classifier(5).top5_error is None
    assert classifier(6).top5_error is not None


def test_each_epoch_has_its_own_order(shapes_root: Path, tmp_path: Path) -> None:
    module, orders = classifier(), {}
    step = module.training_step

    def recorded(batch, batch_idx: int):
        orders.setdefault(module.current_epoch, []).extend(batch.ids)
        return step(batch, batch_idx)

    module.training_step = recorded
    fit(module, shapes_root, tmp_path, **NO_VALIDATION)
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_a_checkpoint_gives_back_the_network(shapes_root: Path, tmp_path: Path) -> None:
    module = classifier()
    trainer = fit(module, shapes_root, tmp_path, epochs=1, **NO_VALIDATION)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    torch.load(tmp_path / "a.ckpt", weights_only=True)
    network = load(tmp_path / "a.ckpt")
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(network(images), module.network.eval()(images))
    assert network.classes == ("a", "b", "c")


@pytest.mark.slow
def test_with_ema_the_checkpoint_holds_the_average(shapes_root: Path, tmp_path: Path) -> None:
    ema = MovingAverage(decay=0.5)
    module = classifier()
    trainer = fit(module, shapes_root, tmp_path, epochs=1, callbacks=[ema], **NO_VALIDATION)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    torch.load(tmp_path / "a.ckpt", weights_only=True)
    averaged = ema._average_model.module.network.state_dict()
    for name, value in load(tmp_path / "a.ckpt").state_dict().items():
        assert torch.equal(value, averaged[name])


def test_the_average_lies_on_the_device_that_trains() -> None:
    ema, strategy = MovingAverage(), SimpleNamespace(root_device=torch.device("meta"))
    ema.setup(SimpleNamespace(strategy=strategy), classifier(), "fit")
    assert {value.device.type for value in ema._average_model.state_dict().values()} == {"meta"}


@pytest.mark.slow
def test_an_interrupted_training_goes_on_where_it_was(shapes_root: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    straight = classifier()
    start = {name: value.clone() for name, value in straight.state_dict().items()}
    fit(straight, shapes_root, tmp_path)
    half = classifier()
    half.load_state_dict(start)
    fit(half, shapes_root, tmp_path, epochs=1).save_checkpoint(tmp_path / "half.ckpt")
    resumed = classifier()
    fit(resumed, shapes_root, tmp_path, resume=tmp_path / "half.ckpt")
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
