"""The examples in examples/extending, in a copy of the checkout: no other file is changed."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from gapnet.config.trusted_targets import find
from gapnet.data import sources
from gapnet.models.builders import BUILDERS
from tests.extending.conftest import COLOURS, EXAMPLES, SPLITS, Run

FILES = {
    "gapnet.models.mynet": "gapnet.models.zoo.mynet",
    "gapnet.saliency.MyMethod": "gapnet.saliency.cam.my_method",
    "gapnet.data.MyData": "gapnet.data.sources.my_data",
}
CHOICES = ("model=mynet", "saliency=my_method", "data=my_data")
TINY = ("debug=fast", "model.input_size=48", "loader.batch_size=8", "trainer.accelerator=cpu")


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process find the example files in the packages that they are copied to."""
    for module in FILES.values():
        package, _, name = module.rpartition(".")
        folder = EXAMPLES.joinpath(*package.split("."))
        paths = [*import_module(package).__path__, str(folder)]
        monkeypatch.setattr(import_module(package), "__path__", paths)
        monkeypatch.setattr(import_module(package), name, None, raising=False)  # removed at the end
    networks = dict(BUILDERS)
    import_module(FILES["gapnet.models.mynet"])  # as models/zoo/__init__.py does with every file
    yield
    BUILDERS.clear()
    BUILDERS.update(networks)
    for module in FILES.values():
        sys.modules.pop(module, None)


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize("name", FILES)
def test_a_public_name_leads_to_the_file_that_defines_it(name: str) -> None:
    assert find(name).__module__ == FILES[name]


def test_a_class_whose_name_begins_alike_is_not_mistaken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_longer.py").write_text('"""One."""\nclass MyDataOfMany: ...\n')
    (tmp_path / "b_shorter.py").write_text('"""Other."""\nclass MyData: ...\n')
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    assert find("gapnet.data.MyData").__module__ == "gapnet.data.sources.b_shorter"
    sys.modules.pop("gapnet.data.sources.b_shorter")


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
