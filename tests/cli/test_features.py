"""`gapnet features`."""

import json
from pathlib import Path

import pytest

from gapnet.jobs.features import FeatureFolder
from tests.cli.conftest import SMALL, Command, Trained, assert_one_line, run_in
from tests.few import few

QUIET = ["loader.num_workers=0", "trainer.accelerator=cpu"]
RUNS = ["paths.runs=."]


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
