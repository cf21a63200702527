import errno
import os
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

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
    board.log_image("right/00 \x1b[31ma\udcff", Image.new("RGB", (4, 3), (255, 0, 0)))
    board.finalize("success")
    board = shown(tmp_path)
    (tag,) = board.Tags()["images"]
    assert tag == "right/00 \\x1b[31ma\\udcff"
    assert (board.Images(tag)[0].width, board.Images(tag)[0].height) == (4, 3)


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
