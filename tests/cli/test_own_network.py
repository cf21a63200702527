"""A network of the user's own, described in a configuration folder of the user's own."""

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import CHECKOUT, QUICK, SMALL, Outcome, assert_one_line, script

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


def train(home: Path, root: Path, *arguments: str) -> Outcome:
    common = ["--config-dir=myconf", *SMALL, *QUICK, f"data.root={root}"]
    return script(home, "train.py", *common, *arguments)


def test_a_network_described_in_config_dir_needs_no_imports(home: Path, shapes_root: Path) -> None:
    outcome = train(home, shapes_root, "model=mynet", "name=own")
    assert outcome.status == 0, outcome.err
    run = (home / "runs" / "latest").resolve()
    assert yaml.safe_load((run / "config.yaml").read_text())["imports"] == ["mynet"]

    refused = script(home, "evaluate.py", "run=runs/latest", *QUICK[1:])
    assert_one_line(refused, "its network mynet.mynet ", "imports=[mynet]")
    refused = script(home, "evaluate.py", f"checkpoint={run}/checkpoints/last.ckpt", *QUICK[1:])
    assert_one_line(refused, "its network mynet.mynet ", "imports=[mynet]")
    outcome = script(home, "evaluate.py", "run=runs/latest", "imports=[mynet]", *QUICK[1:])
    assert outcome.status == 0, outcome.err


def test_a_file_of_config_dir_that_nobody_chose_is_not_trusted(
    home: Path, shapes_root: Path
) -> None:
    outcome = train(home, shapes_root, "model._target_=mynet.mynet")
    assert_one_line(outcome, "model._target_=mynet.mynet: ", "imports=[mynet]")
    assert not (home / "imported").exists()


def test_a_choice_of_conf_shadows_that_of_config_dir(home: Path, shapes_root: Path) -> None:
    (home / "myconf" / "model" / "tiny_gap.yaml").write_text("_target_: mynet.mynet\n")
    outcome = train(home, shapes_root, "model=tiny_gap", "evaluate=false")
    assert outcome.status == 0, outcome.err
    assert not (home / "imported").exists()


def test_a_run_folder_gains_nothing_from_config_dir(home: Path, shapes_root: Path) -> None:
    assert train(home, shapes_root, "evaluate=false").status == 0
    run = (home / "runs" / "latest").resolve()
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["boxer"] = {"_target_": "mynet.mynet"}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    (home / "myconf" / "boxer").mkdir()
    for name in ("run", "mine"):
        (home / "myconf" / "boxer" / f"{name}.yaml").write_text("_target_: mynet.mynet\n")
    outcome = script(home, "evaluate.py", "--config-dir=myconf", "run=runs/latest")
    assert_one_line(outcome, "config.yaml: boxer._target_=mynet.mynet: ", "imports=[MODULE]")
    assert not (home / "imported").exists()
