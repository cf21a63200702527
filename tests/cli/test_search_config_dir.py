"""A search passes --config-dir on to its trainings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gapnet.studies.search import trials
from tests.cli.conftest import Command


@pytest.mark.slow
def test_trials_and_the_search_itself_use_the_folder_of_config_dir(
    tmp_path: Path, gapnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "myconf" / "optim").mkdir(parents=True)
    (tmp_path / "myconf" / "optim" / "mine.yaml").write_text("defaults: [sgd]\nlr: 0.5\n")
    commands: list[Sequence[str]] = []

    @contextmanager
    def failing(command: Sequence[str], output: Path) -> Iterator[SimpleNamespace]:
        output.write_text("failed\n")
        commands.append(command)
        yield SimpleNamespace(poll=lambda: 1, returncode=1)

    monkeypatch.setattr(trials, "running", failing)
    gapnet("search", "--config-dir=myconf", "optim=mine", "search=head", "name=mine")
    assert len(commands) > 0
    for command in commands:
        name, flag, *overrides = command[command.index("train") :]
        assert (name, flag) == ("train", f"--config-dir={tmp_path / 'myconf'}")
        assert "optim=mine" in overrides
