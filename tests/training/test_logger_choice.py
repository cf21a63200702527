"""The loggers that a configuration chooses: which there are, and what is refused."""

import sys

import pytest

from gapnet.config.hyperparameters import hyperparameters
from gapnet.training import Mlflow, TensorBoard, Wandb
from tests.refusals import refused


@pytest.mark.parametrize(("choice", "package"), [(Wandb(), "wandb"), (Mlflow(), "mlflow")])
def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path, choice: Wandb | Mlflow, package: str
) -> None:
    monkeypatch.delitem(sys.modules, f"gapnet.training.{package}_logger", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with refused(package, f"pip install 'gapnet[{package}]'"):
        choice.make(tmp_path, step=None)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"mode": "on"}, ["logger.wandb.mode=on", "offline"]),
        ({"tags": "a"}, ["logger.wandb.tags=a", "list"]),
        ({"artifacts": 1}, ["logger.wandb.artifacts=1"]),
    ],
)
def test_a_wrong_value_names_its_key(values: dict[str, object], parts: list[str]) -> None:
    with refused(*parts):
        Wandb(**values)


def test_artifacts_are_off_by_default() -> None:
    assert not Wandb().artifacts
    assert not Mlflow().artifacts


def test_hyperparameters_are_what_changes_the_result() -> None:
    config = {
        "model": {"_target_": "gapnet.models.vgg16", "pool": "avg", "weights": None},
        "optim": {"optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True}, "lr": 0.1},
        "augment": {"scale": [0.8, 1.0]},
        "logger": {"wandb": {"project": "x"}},
        "paths": {"runs": "here"},
        "seed": 3,
    }
    assert hyperparameters(config) == {
        "model": "vgg16",
        "model.pool": "avg",
        "optim.optimizer": "AdamW",
        "optim.lr": 0.1,
        "augment.scale": "0.8, 1.0",
        "seed": 3,
    }


def test_tensorboard_is_made_without_an_extra(tmp_path) -> None:
    assert TensorBoard().make(tmp_path, step=None).save_dir == str(tmp_path)
    assert not list(tmp_path.iterdir())
