"""The README's Python, without Hydra."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.cli.conftest import CHECKOUT

SECTION = re.compile(r"## From Python\n(.*?)\n## ", re.DOTALL)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def photos(root: Path) -> None:
    generator = np.random.default_rng(0)
    for split, count in (("train", 16), ("val", 4), ("test", 4)):
        for shade, name in ((60, "dark"), (190, "light")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(shade - 50, shade + 50, (48, 64, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Run the README's blocks, one after the other, in a folder with photographs."""
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos")
    (section,) = SECTION.findall((CHECKOUT / "README.md").read_text())
    names: dict[str, object] = {"picture": Image.open(tmp_path / "photos/test/dark/0.png")}
    for block in BLOCK.findall(section):
        exec(block, names)
    return names


@pytest.mark.slow
def test_the_readme_s_python_trains_and_explains(
    names: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "runs/mine"
    metrics = json.loads((run / "metrics.json").read_text())
    assert [each.metric for each in names["results"].metrics] == [m["metric"] for m in metrics]
    assert (tmp_path / "runs/latest").resolve() == run
    assert yaml.safe_load((run / "config.yaml").read_text()) == {}
    assert names["maps"].shape == (1, 1, 64, 64)
    assert "trunk.3" in names["seen"]
