"""W&B without a network, and MLflow with a database in a file."""

import json
import logging
from pathlib import Path

import pytest
from PIL import Image

from gapnet.runs.layout import TRACKED
from gapnet.training.logger_base import LoggedImage, LoggedRun, RunLogger, finishing
from gapnet.training.logger_choice import Mlflow, Wandb
from tests.refusals import refused
from tests.training.wandb_file import begun, history

IMAGES = [LoggedImage(f"pictures/{n} a:b", f"cat {n}", Image.new("RGB", (9, 7))) for n in range(3)]


def run_in(folder: Path) -> LoggedRun:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"optim.lr": 0.1, "model": "vgg16"}
    return LoggedRun(folder, folder.parents[1], group="a sweep", hyperparameters=values)


def log_steps(logger: RunLogger, run: LoggedRun, steps: range) -> None:
    with finishing([logger], []):
        logger.start(run)
        for step in steps:
            logger.log_metrics({"train/loss": 0.5 * step, "lr": 1.0}, step)
        logger.log_images(IMAGES, steps[-1])


def test_wandb_gets_curves_images_and_the_group_and_a_resumed_run_keeps_its_id(
    tmp_path: Path,
) -> None:
    run = run_in(tmp_path / "runs" / "net-data" / "1234")
    for steps in (range(3), range(3, 5)):
        log_steps(Wandb(mode="offline", project="mine").make(run.folder, step=None), run, steps)
    first, second = sorted(run.folder.glob("logs/wandb/offline-run-*/*.wandb"))
    record = begun(first).run
    assert (record.project, record.run_group, record.display_name) == (
        "mine",
        "a sweep",
        "net-data/1234",
    )
    assert json.loads((run.folder / TRACKED).read_text()) == {"wandb": record.run_id}
    assert begun(second).run.run_id == record.run_id
    config = {item.key: item.value_json for item in record.config.update}
    assert (json.loads(config["optim.lr"]), json.loads(config["model"])) == (0.1, "vgg16")
    rows = history(first)
    assert [(step, row["train/loss"]) for step, row in rows.items()] == [(0, 0), (1, 0.5), (2, 1)]
    assert rows[2]["pictures/count"] == 3
    assert rows[2]["pictures/captions"] == ["cat 0", "cat 1", "cat 2"]
    assert [row["train/loss"] for row in history(second).values()] == [1.5, 2]
    assert not list(run.folder.rglob("wandb-metadata.json"))  # it has the command line


@pytest.mark.slow
def test_mlflow_gets_curves_images_and_the_group_and_a_resumed_run_stays_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    from mlflow import MlflowClient  # noqa: PLC0415  # takes seconds

    run = run_in(tmp_path / "runs" / "net-data" / "1234")
    for steps in (range(3), range(3, 5)):
        log_steps(Mlflow(experiment="mine").make(run.folder, step=None), run, steps)
    client = MlflowClient(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("mine")
    (found,) = client.search_runs([experiment.experiment_id])
    assert json.loads((run.folder / TRACKED).read_text()) == {"mlflow": found.info.run_id}
    assert (found.info.run_name, found.info.status) == ("net-data/1234", "FINISHED")
    assert found.data.tags["group"] == "a sweep"
    assert found.data.params == {"optim.lr": "0.1", "model": "vgg16"}
    curve = client.get_metric_history(found.info.run_id, "train/loss")
    assert sorted((point.step, point.value) for point in curve) == [
        (step, 0.5 * step) for step in range(5)
    ]
    images = [item.path for item in client.list_artifacts(found.info.run_id, "images")]
    assert sum(path.endswith(".png") for path in images) == 6
    assert not [item for item in client.list_artifacts(found.info.run_id) if not item.is_dir]


def test_an_unusable_id_is_refused(tmp_path: Path) -> None:
    run = run_in(tmp_path / "runs" / "net-data" / "1234")
    (run.folder / "logs").mkdir()
    (run.folder / TRACKED).write_text('{"wandb": "../x"}')
    with refused(str(run.folder / TRACKED), "wandb"):
        Wandb(mode="offline").make(run.folder, step=None).start(run)


def test_wandb_without_a_key_is_one_line_with_two_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    run = run_in(tmp_path / "runs" / "net-data" / "1234")
    with refused("logger.wandb", "wandb login", "logger.wandb.mode=offline"):
        Wandb(mode="online").make(run.folder, step=None).start(run)


def test_a_service_that_fails_warns_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def log(self, *_: object, **__: object) -> None:
            raise OSError("no route to https://me:hunter2@host")

        def finish(self, **_: object) -> None: ...

    logger = Wandb(mode="offline").make(tmp_path, step=None)
    logger._run, logger._started = Broken(), True
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            logger.log_metrics({"a": 1.0}, step)
    (message,) = caplog.messages
    assert "logger.wandb" in message
    assert "hunter2" not in message
