"""A network of the user's own, described in a configuration folder of the user's own."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import (
    CHECKOUT,
    QUICK,
    SMALL,
    Command,
    Trained,
    assert_one_line,
    script,
)

NETWORK = '''
from pathlib import Path

import torch
from gapnet.models import gapify, register

Path("imported").touch()


@register
def mynet(num_classes, *, width: int = 8, input_size: int = 48):
    """Pool the features of two convolutions."""
    trunk = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, 4, 1), torch.nn.ReLU())
    return gapify(
        trunk, cut="1", num_classes=num_classes, width=width, input_size=input_size
    )
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write mynet.py, and the folder that describes it."""
    (tmp_path / "mynet.py").write_text(NETWORK)
    (tmp_path / "myconf" / "model").mkdir(parents=True)
    (tmp_path / "myconf" / "model" / "mynet.yaml").write_text(
        "_target_: mynet.mynet\ninput_size: 48\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{CHECKOUT}")
    return tmp_path


@pytest.mark.slow
def test_a_network_described_in_config_dir_needs_no_imports(
    gapnet: Command, home: Path, shapes_root: Path
) -> None:
    arguments = ["--config-dir=myconf", *SMALL, *QUICK, f"data.root={shapes_root}", "model=mynet"]
    outcome = script(home, "train.py", *arguments, "evaluate=false")
    assert outcome.status == 0, outcome.err
    run = (home / "runs" / "latest").resolve()
    assert yaml.safe_load((run / "config.yaml").read_text())["imports"] == ["mynet"]

    for network in (f"run={run}", f"checkpoint={run}/checkpoints/last.ckpt"):
        refused = gapnet("evaluate", network, *QUICK[1:])
        assert_one_line(refused, "mynet.mynet", "imports=[mynet]")
    outcome = script(home, "evaluate.py", f"run={run}", "imports=[mynet]", *QUICK[1:])
    assert outcome.status == 0, outcome.err


def test_a_file_of_config_dir_that_nobody_chose_is_not_trusted(
    gapnet: Command, home: Path, shapes_root: Path
) -> None:
    arguments = ["--config-dir=myconf", *SMALL, f"data.root={shapes_root}"]
    outcome = gapnet("train", *arguments, "model._target_=mynet.mynet")
    assert_one_line(outcome, "model._target_=mynet.mynet: ", "imports=[mynet]")
    assert not (home / "imported").exists()


def test_a_choice_of_conf_shadows_that_of_config_dir(gapnet: Command, home: Path) -> None:
    (home / "myconf" / "model" / "tiny_gap.yaml").write_text("_target_: mynet.mynet\n")
    outcome = gapnet("train", "--config-dir=myconf", "model=tiny_gap", "--cfg", "job")
    assert yaml.safe_load(outcome.out)["model"]["_target_"] == "gapnet.models.tiny_gap"
    assert not (home / "imported").exists()


def test_a_run_folder_gains_nothing_from_config_dir(
    gapnet: Command, home: Path, trained: Trained
) -> None:
    shutil.copytree(trained.run, home / "run")
    config = yaml.safe_load((home / "run" / "config.yaml").read_text())
    config["boxer"] = {"_target_": "mynet.mynet"}
    (home / "run" / "config.yaml").write_text(yaml.safe_dump(config))
    (home / "myconf" / "boxer").mkdir()
    for name in ("run", "mine"):
        (home / "myconf" / "boxer" / f"{name}.yaml").write_text("_target_: mynet.mynet\n")
    outcome = gapnet("evaluate", "--config-dir=myconf", "run=run")
    assert_one_line(outcome, "config.yaml: boxer._target_=mynet.mynet: ", "imports=[MODULE]")
    assert not (home / "imported").exists()
