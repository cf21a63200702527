import errno
import os
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import get_experiment, list_session_groups
from tensorboard.plugins.hparams.api_pb2 import (
    STATUS_UNKNOWN,
    ColParams,
    GetExperimentRequest,
    ListSessionGroupsRequest,
    SessionGroup,
)
from tensorboard.plugins.hparams.backend_context import Context

from gapnet.training.logger_base import LoggedImage, LoggedRun
from gapnet.training.tensorboard import Board


def shown(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def log_steps(folder: Path, steps: range, purge_step: int | None = None) -> None:
    board = Board(folder, purge_step=purge_step)
    for step in steps:
        board.log_metrics({"train/loss": 0.5 * step}, step)
    board.finalize("success")


def test_tensorboard_shows_the_values_of_each_step(tmp_path: Path) -> None:
    log_steps(tmp_path, range(3))
    values = shown(tmp_path).Scalars("train/loss")
    assert [(value.step, value.value) for value in values] == [(0, 0), (1, 0.5), (2, 1)]


def test_a_training_that_goes_on_replaces_the_steps_that_it_does_again(tmp_path: Path) -> None:
    log_steps(tmp_path, range(5))
    log_steps(tmp_path, range(2, 4), purge_step=2)
    assert [value.step for value in shown(tmp_path).Scalars("train/loss")] == [0, 1, 2, 3]


def test_a_picture_has_a_plain_name(tmp_path: Path) -> None:
    board = Board(tmp_path)
    image = Image.new("RGB", (4, 3), (255, 0, 0))
    board.log_images([LoggedImage("right/00 \x1b[31ma\udcff", "", image)], 7)
    board.finalize("success")
    board = shown(tmp_path)
    (tag,) = board.Tags()["images"]
    assert tag == "right/00 \\x1b[31ma\\udcff"
    (shown_image,) = board.Images(tag)
    assert (shown_image.step, shown_image.width, shown_image.height) == (7, 4, 3)


def session_groups(folder: Path) -> list[SessionGroup]:
    """Return the rows that TensorBoard's own server has for its HParams page."""
    runs = EventMultiplexer()
    runs.AddRunsFromDirectory(str(folder))
    runs.Reload()
    server = TBContext(data_provider=MultiplexerDataProvider(runs, str(folder)))
    context, request = Context(server), RequestContext()
    experiment = get_experiment.Handler(request, context, "", GetExperimentRequest()).run()
    columns = [ColParams(metric=info.name) for info in experiment.metric_infos]
    wanted = ListSessionGroupsRequest(
        slice_size=9, allowed_statuses=[STATUS_UNKNOWN], col_params=columns
    )
    handler = list_session_groups.Handler(request, context, "", wanted)
    return list(handler.run().session_groups)


def test_the_hparams_page_has_each_run_with_its_last_metrics(tmp_path: Path) -> None:
    for seed in range(2):
        folder = tmp_path / str(seed)
        board = Board(folder / "logs")
        board.start(LoggedRun(folder, hyperparameters={"seed": seed, "optim": "AdamW"}))
        for step, error in enumerate((0.5, 0.25 + seed)):
            board.log_metrics({"test/top1_error": error}, step)
        board.finalize("success")
    rows = sorted(session_groups(tmp_path), key=lambda row: row.hparams["seed"].number_value)
    assert [row.hparams["seed"].number_value for row in rows] == [0, 1]
    assert {row.hparams["optim"].string_value for row in rows} == {"AdamW"}
    values = [{value.name.tag: value.value for value in row.metric_values} for row in rows]
    assert values == [{"test/top1_error": 0.25}, {"test/top1_error": 1.25}]


def test_nothing_is_written_before_there_is_something(tmp_path: Path) -> None:
    Board(tmp_path / "logs").finalize("success")
    assert not (tmp_path / "logs").exists()


def test_a_full_disk_is_logged_once_and_stops_nothing(
    full_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_steps(full_disk / "logs", range(50))
    (message,) = caplog.messages
    assert message.startswith(f"{full_disk / 'logs'}: ")
    assert os.strerror(errno.ENOSPC) in message


def test_a_folder_that_cannot_be_made_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").touch()
    log_steps(tmp_path / "logs", range(3))
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path / 'logs'}: ")
