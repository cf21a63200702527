"""log.txt, and what is logged on the console."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gapnet.cli.runs import log_to
from gapnet.plain_text import CONTROL

log = logging.getLogger("gapnet.test")


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


def opened(path: Path, handlers: list[logging.Handler]) -> None:
    handlers.append(log_to(path.parent))


def test_a_record_is_one_plain_line(tmp_path: Path, handlers: list[logging.Handler]) -> None:
    opened(tmp_path / "log.txt", handlers)
    log.info("%s: is\nread", "\x1b[31mred\udcff")
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
