"""`gapnet features`."""

from pathlib import Path

import pytest

from gapnet.jobs.features import FeatureFolder
from tests.cli.conftest import Command, Trained, assert_one_line

QUIET = ["loader.num_workers=0", "trainer.accelerator=cpu"]


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
    [
        ([], ["run=null", "published=torchvision/NAME"]),
        (["run=nowhere"], ["run=nowhere"]),
        (["published=timm/test_convnext", "checkpoint=a.ckpt"], ["checkpoint=a.ckpt"]),
        (["published=timm/test_convnext", "layer=[]"], ["layer=[]"]),
        (["published=timm/test_convnext", "layer=[gap,gap]"], ["layer=gap"]),
    ],
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("features", *QUIET, *arguments), *parts)
