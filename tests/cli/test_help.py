import logging
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from gapnet import __version__
from gapnet.cli import main
from gapnet.cli.main import command_names, summary_of
from gapnet.config.conf_folder import conf_folder
from tests.cli.conftest import CHECKOUT, script

HEAVY = ("hydra", "torch", "pytorch_lightning", "matplotlib", "pyarrow", "cv2")


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_shows_the_groups_and_what_a_person_would_want(tmp_path: Path, command: str) -> None:
    outcome = script(tmp_path, f"{command}.py", "--help")
    assert outcome.status == 0
    assert "gapnet evaluate run=runs/latest" in outcome.out
    words = outcome.out.replace(",", " ").split()
    for group, choices in (
        ("data:", ["cub", "folder", "ilsvrc", "ilsvrc_shards", "metadata", "shapes"]),
        ("boxer:", ["grabcut", "released", "threshold20"]),
    ):
        assert {*choices} <= {*words[words.index(group) :]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.slow
def test_the_configuration_is_shown_and_nothing_is_run(tmp_path: Path, command: str) -> None:
    outcome = script(tmp_path, f"{command}.py", "--cfg", "job")
    assert outcome.status == 0
    assert "cut: 0.2" in outcome.out
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['train.py', '--help']\n"
        "from gapnet.cli.main import run\n"
        "try: run('train')\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_the_user_s_own_choices(tmp_path: Path) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "mynet.yaml").write_text("_target_: mynet.mynet\n")
    outcome = script(tmp_path, "train.py", "--config-dir=mine", "--help")
    assert "model: alexnet" in outcome.out
    assert "mynet, nin" in " ".join(outcome.out.split())


def gapnet(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gapnet", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_package_runs_the_same_commands() -> None:
    assert gapnet("train", "--help").stdout == script(CHECKOUT, "train.py", "--help").out
    assert gapnet("--version").stdout == f"gapnet {__version__}\n"
    for name in command_names():
        assert f"gapnet {name}" in gapnet().stdout
        assert summary_of(name) in gapnet("--help").stdout


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_a_task_a_summary_and_a_configuration(name: str) -> None:
    command = import_module(f"gapnet.cli.commands.{name}")
    assert callable(command.complete)
    assert callable(command.task)
    assert summary_of(name).endswith(".")
    assert (conf_folder() / f"{name}.yaml").is_file()


def test_an_unknown_command_is_named() -> None:
    done = gapnet("trian")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("gapnet: ")
    assert "trian" in line
    assert all(name in line for name in command_names())


def test_conf_is_found_in_the_checkout() -> None:
    assert conf_folder() == CHECKOUT / "conf"


@pytest.mark.parametrize("arguments", [["train", "--help"], []])
def test_a_reader_that_closes_the_pipe_is_no_error(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gapnet", *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_ctrl_c_during_the_imports_says_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setattr(main, "import_module", interrupted)
    try:
        with pytest.raises(SystemExit) as end:
            main.run("train")
    finally:
        logging.disable(logging.NOTSET)
    assert end.value.code == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gapnet train: SIGINT")
