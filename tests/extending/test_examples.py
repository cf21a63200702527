"""The examples in examples/extending, in a copy of the checkout: no other file is changed."""

import json
from pathlib import Path

import pytest

from tests.extending.conftest import COLOURS, SPLITS, Run

NAMES = {
    "gapnet.models.mynet": "gapnet.models.zoo.mynet",
    "gapnet.saliency.MyMethod": "gapnet.saliency.cam.my_method",
    "gapnet.data.MyData": "gapnet.data.sources.my_data",
}
CHOICES = ("model=mynet", "saliency=my_method", "data=my_data")
TINY = ("debug=fast", "model.input_size=48", "loader.batch_size=8", "trainer.accelerator=cpu")


def test_public_names_lead_to_the_files_that_define_them(run: Run, extended: Path) -> None:
    code = (
        "import json, gapnet\n"
        "from gapnet.config.trusted_targets import find\n"
        f"modules = {{name: find(name).__module__ for name in {list(NAMES)}}}\n"
        "print(json.dumps([gapnet.__file__, modules]))"
    )
    file, modules = json.loads(run("-c", code).stdout)
    assert Path(file) == extended / "gapnet" / "__init__.py"
    assert modules == NAMES


def test_help_lists_the_command_by_its_docstring(run: Run) -> None:
    lines = run("-m", "gapnet", "--help").stdout.splitlines()
    assert "  gapnet my_command Count the images of each class of a data set." in lines
    assert "gapnet my_command data=my_data" in run("-m", "gapnet", "my_command", "--help").stdout


@pytest.mark.slow
def test_a_network_a_method_and_a_data_set_are_trained_and_evaluated(
    run: Run, extended: Path, my_data: Path
) -> None:
    root = f"data.root={my_data}"
    run(str(extended / "train.py"), *CHOICES, root, *TINY)
    again = run(str(extended / "evaluate.py"), "run=runs/latest", "saliency.power=2.0")
    assert "ground-truth-known" in again.stdout
    checkpoint = "checkpoint=runs/latest/checkpoints/best.ckpt"
    alone = ("saliency=my_method", "data=my_data", root, "loader.num_workers=0")
    run(str(extended / "evaluate.py"), checkpoint, *alone, "split=val", "trainer.accelerator=cpu")


@pytest.mark.slow
def test_the_command_counts_the_images(run: Run, my_data: Path) -> None:
    arguments = ("data=my_data", f"data.root={my_data}", "val")
    out = run("-m", "gapnet", "my_command", *arguments).stdout
    for name in COLOURS:
        assert any(name in line and str(SPLITS["val"]) in line for line in out.splitlines()), out
