import subprocess
import sys

import pytest

from gapnet import __main__ as entry


@pytest.mark.parametrize(("command", "name"), [(None, "gapnet"), ("train", "gapnet train")])
def test_ctrl_c_during_the_first_imports_ends_with_one_line(
    command: str | None,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["gapnet"])
    monkeypatch.setattr(entry, "import_module", interrupted)
    with pytest.raises(SystemExit) as end:
        entry.main(command)
    assert end.value.code == 130
    *start, line = capsys.readouterr().err.splitlines()
    assert start == ["starting gapnet train"] * (command is not None)
    assert line.startswith(f"{name}: SIGINT")


@pytest.mark.parametrize(
    ("arguments", "is_said"),
    [
        (["train"], True),
        (["train", "-m", "seed=0,1"], True),
        (["evaluate", "run=x", "--config-dir=y"], True),
        (["train", "--help"], False),
        (["train", "--cfg", "job"], False),
        (["nothing"], False),
        (["../cli"], False),
        ([], False),
    ],
)
def test_the_start_of_a_command_is_said_on_stderr_only(
    arguments: list[str],
    is_said: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in entry.RANKS:
        monkeypatch.delenv(name, raising=False)
    entry.say_start(*arguments)
    start = f"starting gapnet {arguments[0]}\n" if is_said else ""
    assert tuple(capsys.readouterr()) == ("", start)
    monkeypatch.setenv("RANK", "1")
    entry.say_start(*arguments)
    assert tuple(capsys.readouterr()) == ("", "")


def test_a_closed_stderr_stops_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    entry.say_start("train")


def test_an_entry_point_imports_only_quick_modules() -> None:
    code = "import sys, gapnet.__main__; print('yaml' in sys.modules, 'gapnet.cli' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
