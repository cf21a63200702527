"""Loggers of a training: how they are chosen, and that they change nothing that it computes."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from gapnet.config.conf_folder import conf_folder
from gapnet.runs.layout import CURVES, METRICS, TRACKED
from tests.cli.conftest import QUICK, SMALL, Command, Train, Trained, assert_one_line


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def assert_same_training(run: Path, other: Path) -> None:
    assert run.name == other.name  # the id
    first, second = weights_of(run), weights_of(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    for name in (CURVES, METRICS):
        assert (run / name).read_bytes() == (other / name).read_bytes()


def latest(home: Path) -> Path:
    return (home / "runs" / "latest").resolve()


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("logger=wandb", ["wandb"]),
        ("logger=[tensorboard,mlflow]", ["tensorboard", "mlflow"]),
        ("logger=none", []),
        ("logger=csv", []),
        ("name=x", ["tensorboard"]),
    ],
)
def test_one_logger_or_several_are_chosen(choice: str, names: list[str]) -> None:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        assert list(compose("train", [choice]).logger) == names


def test_an_unknown_logger_in_a_list_is_one_line(gapnet: Command) -> None:
    outcome = gapnet("train", "logger=[tensorboard,wandbb]")
    assert_one_line(outcome, "logger=wandbb: ", "did you mean 'wandb'?", "csv, mlflow, none")


def test_lightnings_loggers_are_refused_with_the_group(train_with: Train, tmp_path: Path) -> None:
    outcome = train_with("+trainer.logger=true")
    assert_one_line(outcome, "trainer.logger: ", "logger=tensorboard")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("value", [-1, "many"])
def test_a_wrong_number_of_images_is_one_line(train_with: Train, value: object) -> None:
    assert_one_line(train_with(f"trainer.log_images={value}"), f"trainer.log_images={value}: ")


def test_without_a_logger_the_training_is_the_same(
    train_with: Train, trained: Trained, tmp_path: Path
) -> None:
    outcome = train_with("~logger.tensorboard", "name=small")
    assert outcome.status == 0, outcome.err
    run = latest(tmp_path)
    assert_same_training(run, trained.run)
    assert [path.name for path in (run / "logs").iterdir()] == ["metrics.csv"]


@pytest.mark.slow
def test_with_wandb_and_mlflow_the_training_is_the_same_and_a_resumed_one_keeps_their_runs(
    gapnet: Command, trained: Trained, shapes_root: Path, tmp_path: Path
) -> None:
    arguments = [*SMALL, *QUICK, f"data.root={shapes_root}", "name=small"]
    services = ["logger=[wandb,mlflow]", "logger.wandb.mode=offline", "trainer.log_images=2"]
    outcome = gapnet("train", *arguments, *services)
    assert outcome.status == 0, outcome.err
    run = latest(tmp_path)
    assert_same_training(run, trained.run)
    ids = json.loads((run / TRACKED).read_text())
    assert set(ids) == {"wandb", "mlflow"}
    assert not list(run.glob("logs/*tfevents*"))
    shutil.rmtree(run / "predictions")
    outcome = gapnet("train", *arguments, *services, "resume=auto")
    assert outcome.status == 0, outcome.err
    assert json.loads((run / TRACKED).read_text()) == ids
    assert len(list(run.glob("logs/wandb/offline-run-*"))) == 2
    assert (tmp_path / "runs" / "mlflow.db").is_file()
