"""log.txt, and what is logged on the console."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gapnet.runs.log import PlainFormatter, RunLog
from gapnet.text.plain_text import CONTROL

FULL = Path("/dev/full")  # to which nothing can be written, as if the disk were full
log = logging.getLogger("gapnet.test")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """Add handlers to the root, and take them away again."""
    added: list[logging.Handler] = []
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.INFO)
    yield added
    root.setLevel(level)
    for each in added:
        root.removeHandler(each)
        each.close()


def opened(path: Path, handlers: list[logging.Handler]) -> RunLog:
    handler = RunLog(path)
    logging.getLogger().addHandler(handler)
    handlers.append(handler)
    return handler


def test_a_record_is_one_plain_line(tmp_path: Path, handlers: list[logging.Handler]) -> None:
    handler = opened(tmp_path / "log.txt", handlers)
    # Handled here alone: pytest-xdist cannot send such a text
    message = ("%s: is\nread", ("\x1b[31mred\udcff",))
    handler.handle(logging.LogRecord("gapnet.test", logging.INFO, "", 0, *message, None))
    (line,) = (tmp_path / "log.txt").read_text().splitlines()
    assert line.endswith(" INFO gapnet.test: \\x1b[31mred\\udcff: is read")


def test_a_traceback_keeps_its_lines(tmp_path: Path, handlers: list[logging.Handler]) -> None:
    opened(tmp_path / "log.txt", handlers)
    try:
        int("\x1b[31mred\u202e")
    except ValueError:
        log.exception("failed")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1].startswith("ValueError: invalid literal")
    assert not CONTROL.search("".join(lines))


@needs_full
def test_a_full_disk_is_told_once_and_nothing_more(
    tmp_path: Path,
    handlers: list[logging.Handler],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traced: list[logging.Handler] = []  # handlers that print a traceback
    monkeypatch.setattr(logging.Handler, "handleError", lambda self, _: traced.append(self))
    path = tmp_path / "log.txt"
    path.symlink_to(FULL)
    handler = opened(path, handlers)
    for number in range(3):
        log.info("record %d", number)
    (line,) = [line for line in caplog.messages if not line.startswith("record")]
    assert line.startswith(f"{path}: ")
    assert "No space left on device" in line
    assert handler not in traced
    assert not handler.stream.closed  # the lock of the run is on it
    handler.close()


def test_what_cannot_be_formatted_is_no_full_disk(
    tmp_path: Path, handlers: list[logging.Handler], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = opened(tmp_path / "log.txt", handlers)
    handler.handle(logging.LogRecord("gapnet", logging.INFO, "", 0, "%d", ("x",), None))
    assert "Logging error" in capsys.readouterr().err
    log.info("more")
    assert "more" in (tmp_path / "log.txt").read_text()


def test_a_record_shows_no_secret() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "at %s", ("https://me:pw@host/x",), None)
    assert "pw" not in PlainFormatter("%(message)s").format(record)
