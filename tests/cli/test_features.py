"""`gapnet features`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gapnet.jobs.features import FeatureFolder
from tests.cli.conftest import CHECKOUT, SMALL, Command, Trained, assert_one_line, run_in
from tests.few import few

QUIET = ["loader.num_workers=0", "trainer.accelerator=cpu"]
RUNS = ["paths.runs=."]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}


def test_features_of_a_run_lie_in_its_folder(
    gapnet: Command, trained: Trained, tmp_path: Path
) -> None:
    outcome = gapnet("features", f"run={trained.run}", "layer=[gap,trunk.2:max]", "splits=[val]")
    assert outcome.status == 0, outcome.err
    (folder,) = (trained.run / "features").iterdir()
    described = FeatureFolder.read(folder)
    assert (dict(described.layers), dict(described.images)) == (
        {"gap": 64, "trunk.2:max": 64},
        {"val": 12},
    )
    assert str(folder.relative_to(trained.run)) in outcome.out
    assert described.features(folder, "val", "gap").vectors.shape == (12, 64)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            ([], ["run=null", "published=torchvision/NAME"]),
            (["run=nowhere"], ["run=nowhere"]),
            (["published=timm/test_convnext", "checkpoint=a.ckpt"], ["checkpoint=a.ckpt"]),
            (["published=timm/test_convnext", "layer=[]"], ["layer=[]"]),
            (["published=timm/test_convnext", "layer=[gap,gap]"], ["layer=gap"]),
        ],
        1,
    ),
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("features", *QUIET, *arguments), *parts)


@pytest.fixture(scope="module")
def svm_folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write features and train an SVM on them."""
    folder = tmp_path_factory.mktemp("svm")
    run_in(folder, "features", f"run={trained.run}", f"folder={folder}/features", *RUNS)
    run_in(folder, "svm", f"features={folder}/features", f"folder={folder}/svm", *RUNS, "C=[1,10]")
    return folder / "svm"


@pytest.mark.slow
def test_an_svm_s_network_is_evaluated_like_any_other(
    gapnet: Command, svm_folder: Path, shapes_root: Path
) -> None:
    checkpoint = svm_folder / "network" / "model.safetensors"
    shapes = [*SMALL[:-1], f"data.root={shapes_root}", "report.images=0", *QUIET]
    outcome = gapnet("evaluate", f"checkpoint={checkpoint}", "folder=evaluated", *shapes)
    assert outcome.status == 0, outcome.err
    top1_error = json.loads(Path("evaluated/metrics.json").read_text())[0]
    accuracy = json.loads((svm_folder / "metrics.json").read_text())[0]
    assert (top1_error["metric"], accuracy["metric"]) == ("top1_error", "accuracy")
    assert 1 - top1_error["value"] == pytest.approx(accuracy["value"])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            ([], ["features=null"]),
            (["features=nowhere"], ["features=", "nowhere"]),
            (["features=nowhere", "C=-1"], ["C=-1"]),
            (["features=nowhere", "C=[1,a]"], ["C=a"]),
        ],
        1,
    ),
)
def test_wrong_arguments_of_svm_are_one_line(
    gapnet: Command, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("svm", *arguments), *parts)


@pytest.mark.nightly
def test_two_processes_write_the_features_of_one(trained: Trained, tmp_path: Path) -> None:
    found = []
    for devices in (1, 2):
        folder = tmp_path / str(devices)
        command = ["features", f"run={trained.run}", f"folder={folder}", *QUIET, *RUNS]
        whole = [*command, "loader.batch_size=5", f"trainer.devices={devices}"]
        done = subprocess.run(
            [sys.executable, "-m", "gapnet", *whole], cwd=tmp_path, env=ENVIRONMENT, check=False
        )
        assert done.returncode == 0
        found.append(FeatureFolder.read(folder).features(folder, "test", "gap"))
    one, two = found
    assert one.ids == two.ids
    assert np.array_equal(one.vectors, two.vectors)
    assert len(list((tmp_path / "2").rglob("test/part-*"))) == 2
