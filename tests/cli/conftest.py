import copy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from gapnet.cli.app import Task
from gapnet.cli.commands import train
from gapnet.cli.main import run
from gapnet.config.conf_folder import conf_folder
from gapnet.config.overrides import parse
from gapnet.config.run_id import register_resolvers

CHECKOUT = Path(__file__).resolve().parents[2]
SMALL = [
    "data.scenes=sparse",
    "data.size=48",
    "data.classes=3",
    "data.train=24",
    "data.val=12",
    "data.test=12",
    "model.input_size=48",
]
QUICK = [
    "trainer.max_epochs=1",
    "loader.num_workers=0",
    "loader.batch_size=8",
    "report.images=4",
    "trainer.accelerator=cpu",
]


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]
Train = Callable[..., Outcome]


def assert_one_line(outcome: Outcome, *parts: str) -> None:
    assert outcome.status == 1
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 1, outcome.err
    for part in parts:
        assert part in lines[0]


def run_mode(*_: object, **__: object) -> RunMode | None:
    """Return what Hydra would read from hydra.mode after a first composition, which takes 0.3 s."""
    return None if {"-m", "--multirun"} & set(sys.argv) else RunMode.RUN


@pytest.fixture
def gapnet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Hydra, "get_mode", run_mode)

    def call(command: str, *arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", [f"{command}.py", *arguments])
        try:
            run(command)
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def composed(shapes_root: Path) -> DictConfig:
    """Compose the configuration of a small training, with Hydra's part of it."""
    GlobalHydra.instance().clear()
    register_resolvers()
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        arguments = [*SMALL, *QUICK, f"data.root={shapes_root}"]
        return compose("train", arguments, return_hydra_config=True)


def apply(argument: str, cfg: DictConfig) -> None:
    """Change a composed configuration as an override of a key would, in a tenth of the time."""
    override = parse(argument)
    path, _, name = override.key_or_group.rpartition(".")
    if override.is_delete():
        with open_dict(cfg):
            del OmegaConf.select(cfg, path)[name]
    else:
        OmegaConf.update(cfg, override.key_or_group, override.value(), force_add=override.is_add())


@pytest.fixture
def train_with(
    composed: DictConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Train:
    """Train with more overrides, which are applied without composing again."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        cfg = copy.deepcopy(composed)
        HydraConfig.instance().set_config(cfg)
        configure_log(cfg.hydra.job_logging)
        with open_dict(cfg):
            del cfg["hydra"]
        for argument in arguments:
            apply(argument, cfg)
        try:
            Task("train", train, None)(cfg)
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return Outcome(status, *capsys.readouterr())

    return call


def script(folder: Path, name: str, *arguments: str) -> Outcome:
    """Run an entry point of the checkout as a user does, in a folder."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / name), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_in(folder: Path, command: str, *arguments: str) -> str:
    """Run a command in this process and a folder, for fixtures of a session; return its output."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.chdir(folder)
        patch.setattr(Hydra, "get_mode", run_mode)
        patch.setattr(sys, "argv", [f"{command}.py", *arguments])
        run(command)
    return out.getvalue()


class Trained(NamedTuple):
    home: Path
    run: Path
    out: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, shapes_root: Path) -> Trained:
    """Train once in this process, in an otherwise empty folder."""
    home = tmp_path_factory.mktemp("home")
    out = run_in(home, "train", *SMALL, *QUICK, f"data.root={shapes_root}", "name=small")
    return Trained(home, (home / "runs" / "latest").resolve(), out)
