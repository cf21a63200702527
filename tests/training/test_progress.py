"""What training and prediction show of their progress, on a terminal and elsewhere."""

import io
import logging
import re
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace

import pytest

from gapnet.system import progress
from gapnet.system.console import PlainConsole
from gapnet.training import progress_bar, stages
from gapnet.training.progress_bar import StageBar
from gapnet.training.progress_lines import MinuteLines
from gapnet.training.stages import Stage, StageWatch, batches_to_train

BATCH = SimpleNamespace(ids=["image"] * 8)
ESCAPE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


@dataclass
class Trainer:
    """The attributes of Lightning's trainer that are read."""

    max_epochs: int | None = 3
    max_steps: int = -1
    num_training_batches: float = 10
    num_val_batches: list[int] = field(default_factory=lambda: [4])
    num_predict_batches: list[int] = field(default_factory=lambda: [4, 6])
    accumulate_grad_batches: int = 1
    global_step: int = 0
    current_epoch: int = 0
    world_size: int = 2
    is_global_zero: bool = True
    progress_bar_metrics: dict[str, float] = field(
        default_factory=lambda: {"train/loss": 1.2345, "val/top1_error": 0.125, "val/loss": 9.0}
    )


MODULE = SimpleNamespace(stage_names=["predicting val", "predicting test"])


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look at the clock take a second."""
    seconds = count()
    time = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    for module in (stages, progress_bar):
        monkeypatch.setattr(module, "time", time)
    monkeypatch.setattr("gapnet.training.progress_lines.time", time)
    monkeypatch.setattr(progress, "monotonic", time.monotonic)


def train(watch: StageWatch, trainer: Trainer) -> None:
    """Call what Lightning calls in a training, with a validation in the middle of each epoch."""
    watch.on_train_start(trainer, MODULE)
    for epoch in range(trainer.max_epochs):
        trainer.current_epoch = epoch
        watch.on_train_epoch_start(trainer, MODULE)
        for index in range(10):
            watch.on_train_batch_end(trainer, MODULE, None, BATCH, index)
            if index == 4:
                watch.on_validation_start(trainer, MODULE)
                for batch in range(4):
                    watch.on_validation_batch_end(trainer, MODULE, None, BATCH, batch)
                watch.on_validation_end(trainer, MODULE)
        watch.on_train_epoch_end(trainer, MODULE)
    watch.teardown(trainer, MODULE, "fit")


def predict(watch: StageWatch, trainer: Trainer) -> None:
    watch.on_predict_start(trainer, MODULE)
    for loader, batches in enumerate(trainer.num_predict_batches):
        for index in range(batches):
            watch.on_predict_batch_start(trainer, MODULE, BATCH, index, loader)
            watch.on_predict_batch_end(trainer, MODULE, None, BATCH, index, loader)
    watch.on_predict_end(trainer, MODULE)
    watch.teardown(trainer, MODULE, "predict")


def shown(width: int, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    console = PlainConsole(file=file, width=width, force_terminal=True)
    monkeypatch.setattr(progress, "console", console)
    return file


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in re.split(r"[\r\n]+", ESCAPE.sub("", text)) if line.strip()]


@pytest.mark.parametrize("width", [80, 50, 30])
@pytest.mark.parametrize("work", [train, predict])
def test_a_bar_is_one_line_at_any_width(
    work: object, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shown(width, monkeypatch)
    work(StageBar(), Trainer(num_training_batches=10))
    lines = lines_of(file.getvalue())
    assert max(map(len, lines)) <= width
    assert all(line.startswith(("epoch ", "validating ", "predicting ")) for line in lines)


def test_the_bar_of_an_epoch_has_short_names_speed_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = shown(80, monkeypatch)
    train(StageBar(), Trainer())
    ends = [line for line in lines_of(file.getvalue()) if " 10/10 " in line]
    names = [line.split(" ━")[0] for line in ends]
    assert list(dict.fromkeys(names)) == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    for line in ends:
        assert re.search(r"loss 1.234  top-1 12.5%  \d+ images/s  \d:\d\d:\d\d left$", line)
    assert ends[-1].endswith(" 0:00:00 left")


def test_a_narrow_bar_leaves_out_the_metrics_first(monkeypatch: pytest.MonkeyPatch) -> None:
    file = shown(50, monkeypatch)
    train(StageBar(), Trainer())
    lines = [line for line in lines_of(file.getvalue()) if "images/s" in line]
    assert any(" left" in line for line in lines)
    assert not any("loss" in line or "top-1" in line for line in lines)


def test_every_split_has_a_bar_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    file = shown(80, monkeypatch)
    predict(StageBar(), Trainer())
    lines = lines_of(file.getvalue())
    assert any(line.startswith("predicting val ━") and " 4/4 " in line for line in lines)
    assert any(line.startswith("predicting test ━") and " 6/6 " in line for line in lines)


@pytest.mark.parametrize("work", [train, predict])
def test_without_a_terminal_there_is_a_line_a_minute(
    work: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gapnet.training.progress_lines.LOG_EVERY", 4)
    with caplog.at_level(logging.INFO):
        work(MinuteLines(), Trainer())
    assert caplog.messages
    pattern = r"(epoch \d/3|validating|predicting \w+): batch \d+ of \d+, \d+ images/s, [\d:]+ left"
    assert all(re.fullmatch(pattern, message) for message in caplog.messages)


@pytest.mark.parametrize("watch", [StageBar, MinuteLines])
def test_other_ranks_show_nothing(
    watch: type[StageWatch], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gapnet.training.progress_lines.LOG_EVERY", 0)
    file = shown(80, monkeypatch)
    with caplog.at_level(logging.INFO):
        train(watch(), Trainer(is_global_zero=False))
    assert (file.getvalue(), caplog.messages) == ("", [])


def test_speed_and_time_left_are_those_of_the_batches_that_are_done() -> None:
    stage = Stage("a", batches=10, done=4, images=600, started=0.0)
    stage.__class__ = type("Still", (Stage,), {"seconds": 60.0})
    assert (stage.speed, stage.left) == ("10 images/s", "0:01:30 left")


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        (Trainer(), 30),
        (Trainer(max_steps=5, accumulate_grad_batches=4), 20),
        (Trainer(global_step=12), 18),
        (Trainer(max_epochs=-1), float("inf")),
        (Trainer(max_epochs=None, max_steps=7), 7),
    ],
)
def test_the_batches_that_are_left_are_counted(trainer: Trainer, expected: float) -> None:
    assert batches_to_train(trainer) == expected


def test_a_list_of_work_logs_a_line_a_minute_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "console", PlainConsole(file=io.StringIO(), width=80))
    monkeypatch.setattr(progress, "LOG_EVERY", 3)
    with caplog.at_level(logging.INFO):
        assert list(progress.track("abcdefgh", "drawing shapes", total=8)) == list("abcdefgh")
    assert all(message.startswith("drawing shapes: ") for message in caplog.messages)
    assert caplog.messages[0].endswith(" of 8")


def test_log_lines_are_printed_above_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    file = shown(80, monkeypatch)
    monkeypatch.setattr("sys.stderr", file)
    handler, line = logging.StreamHandler(), "an image cannot be read; " * 5 + "the end"
    logging.getLogger().addHandler(handler)
    try:
        for _ in progress.track("ab", "drawing shapes", total=2):
            logging.getLogger("gapnet").warning(line)
        assert handler.stream is file
    finally:
        logging.getLogger().removeHandler(handler)
    assert lines_of(file.getvalue()).count(line) == 2


def test_a_forked_process_does_not_use_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    file, before = shown(80, monkeypatch), io.StringIO()
    stream = progress.AboveBar(before)
    monkeypatch.setattr("os.getpid", lambda: -1)
    stream.write("a line\n")
    assert (file.getvalue(), before.getvalue()) == ("", "a line\n")


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_leaves_a_bar_without_colours(
    no_color: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1" if no_color else "")
    file = shown(80, monkeypatch)
    train(StageBar(), Trainer(max_epochs=1))
    has_colours = re.search(r"\x1b\[[0-9;]*[39][0-9][;m]", file.getvalue()) is not None
    assert has_colours is not no_color
