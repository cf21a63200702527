"""From a devkit's files to its figures, with nothing of gapnet's in between but the command."""

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.cli.conftest import Command
from tests.evaluation.drawn import Box, guess, random_box
from tests.oracles.devkit import devkit_errors

COUNT, CLASSES = 120, 9
Guess = tuple[int, Box]


def write_xml(path: Path, wnid: str, size: tuple[int, int], boxes: list[Box]) -> None:
    root = ElementTree.Element("annotation")
    shape = ElementTree.SubElement(root, "size")
    ElementTree.SubElement(shape, "width").text = str(size[1])
    ElementTree.SubElement(shape, "height").text = str(size[0])
    for box in boxes:
        entry = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(entry, "name").text = wnid
        corners = ElementTree.SubElement(entry, "bndbox")
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ElementTree.SubElement(corners, side).text = str(int(value))
    path.write_bytes(ElementTree.tostring(root))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_files_of_the_devkit_give_the_devkit_s_figures(
    gapnet: Command, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    wnids = [f"n{number:08d}" for number in sorted(rng.sample(range(10**8), CLASSES))]
    numbered = rng.sample(wnids, CLASSES)  # the devkit's own order
    root = tmp_path / "tree"
    kit, images, xml = root / "devkit/data", root / "val", root / "ILSVRC2012_bbox_val_v3/val"
    for folder in (kit, images, xml):
        folder.mkdir(parents=True)
    truths: list[tuple[int, list[Box]]] = []
    guesses: list[list[Guess]] = []
    for place in range(1, COUNT + 1):
        size = (rng.randint(4, 60), rng.randint(4, 60))
        label, boxes = rng.randint(1, CLASSES), [random_box(rng, *size) for _ in range(3)]
        some = [
            (rng.choice([label, rng.randint(1, CLASSES)]), guess(rng, boxes, *size))
            for _ in range(rng.randint(1, 5))
        ]
        name = f"ILSVRC2012_val_{place:08d}"
        Image.new("RGB", size[::-1]).save(images / f"{name}.JPEG")
        write_xml(xml / f"{name}.xml", numbered[label - 1], size, boxes)
        truths.append((label, boxes))
        guesses.append(some)
    blacklist = set(rng.sample(range(1, COUNT + 1), 7))
    names = [f"{wnid} {number} thing" for number, wnid in enumerate(numbered, start=1)]
    (kit / "map_clsloc.txt").write_text("\n".join(names) + "\n")
    labels = "".join(f"{label}\n" for label, _ in truths)
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text(labels)
    listed = "".join(f"{place}\n" for place in sorted(blacklist))
    (kit / "ILSVRC2014_clsloc_validation_blacklist.txt").write_text(listed)
    lines = [
        " ".join(f"{label} " + " ".join(f"{edge:.0f}" for edge in box) for label, box in some)
        for some in guesses
    ]
    (tmp_path / "guesses.txt").write_text("\n".join(lines) + "\n")
    outcome = gapnet(
        "evaluate", "predictions=guesses.txt", "data=ilsvrc", "data.root=tree", "folder=scored"
    )
    assert outcome.status == 0, outcome.err
    assert "tree: " in outcome.err
    assert "9 classes" in outcome.err
    figures = {each["metric"]: each for each in json.loads(Path("scored/metrics.json").read_text())}
    expected = devkit_errors(guesses, truths, blacklist=blacklist)
    for kind, curve, n in zip(
        ("error", "localization_error"), expected, (COUNT, COUNT - len(blacklist)), strict=True
    ):
        for k, value in enumerate(curve, start=1):
            assert figures[f"top{k}_{kind}"]["value"] == pytest.approx(value, abs=1e-12)
            assert figures[f"top{k}_{kind}"]["n"] == n
    assert 0 < expected[1][0] < 1
