"""The blocks of README.md and docs/ that are marked to be run, in a folder with small data."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from gapnet.models.builders import BUILDERS
from tests.cli.conftest import CHECKOUT
from tests.docs.pages import PAGES, blocks_of
from tests.docs.run_page import quick, run_gapnet, run_page

PYTHON = CHECKOUT / "docs" / "python.md"
OTHERS = [page for page in PAGES if page != PYTHON and any(block.runs for block in blocks_of(page))]
PHOTOS = {"train": 16, "val": 4, "test": 4}  # of each class
BOX = (8, 8, 39, 31)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with photographs, their boxes, and a run of the default job."""
    folder = tmp_path_factory.mktemp("prepared")
    draw_photos(folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", sys.argv)
        patch.chdir(folder)
        run_gapnet("train", *quick([]))
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Go to a copy of the folder; networks that a page registers are forgotten afterwards."""
    home = tmp_path / "home"
    shutil.copytree(prepared, home, symlinks=True)
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(home)
    monkeypatch.setattr(sys, "argv", sys.argv)
    networks = dict(BUILDERS)
    yield home
    BUILDERS.clear()
    BUILDERS.update(networks)


def draw_photos(root: Path) -> None:
    generator = np.random.default_rng(0)
    rows = ["image,xmin,ymin,xmax,ymax"]
    for split, count in PHOTOS.items():
        for shade, name in ((60, "dark"), (190, "light")):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(shade - 50, shade + 50, (48, 64, 3), dtype=np.uint8)
                path = root / split / name / f"{number}.png"
                Image.fromarray(pixels).save(path)
                rows.append(",".join(map(str, (path.relative_to(root), *BOX))))
    Image.fromarray(pixels).save(root.parent / "image.jpg")
    (root.parent / "boxes.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", OTHERS, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run_in_their_order(page: Path) -> None:
    run_page(page)


@pytest.mark.slow
def test_the_python_page_trains_and_explains(folder: Path) -> None:
    names = run_page(PYTHON)
    run = folder / "runs/mine"
    metrics = json.loads((run / "metrics.json").read_text())
    assert [each.metric for each in names["results"].metrics] == [m["metric"] for m in metrics]
    assert (folder / "runs/latest").resolve() == run
    assert yaml.safe_load((run / "config.yaml").read_text()) == {}
    assert names["maps"].shape == (1, 1, 64, 64)
    assert "trunk.3" in names["outputs"]
