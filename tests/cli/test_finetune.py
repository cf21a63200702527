"""The recipe for one's own photographs, and the advice to use it."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from gapnet.data.sources.folder import Folder
from gapnet.jobs.pretraining_advice import FEW_IMAGES, needs_pretraining
from gapnet.models.zoo.tiny import tiny_gap
from tests.cli.conftest import Command
from tests.cli.test_conf import composed
from tests.few import few

NETWORK = "test_efficientnet"  # of timm, and very small
COLOURS = {"blue": (0, 0, 1), "green": (0, 1, 0), "red": (1, 0, 0)}


@pytest.mark.parametrize("optim", few(["finetune_adamw", "finetune_sgd", "adamw", "sgd"], 2))
@pytest.mark.parametrize("model", few(["published", "resnet50_gap"], 1))
def test_the_recipe_composes_with_each_optimiser_and_network(optim: str, model: str) -> None:
    config = composed("train", "experiment=finetune", f"optim={optim}", f"model={model}")
    is_low = config["optim"]["lr"] <= 0.005 and config["optim"]["head_first"] == 0.1
    assert is_low == optim.startswith("finetune")
    assert config["model"]["pretrained"]
    assert config["callbacks"]["stop"]["monitor"] == config["callbacks"]["best"]["monitor"]


def photographs(root: Path, *, images: int) -> Path:
    """Draw noise in the colour of its class: many images of one class, and few of the others."""
    generator = np.random.default_rng(0)
    for split in ("train", "test"):
        for place, (name, colour) in enumerate(COLOURS.items()):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(images // (1 + place)):
                noise = generator.uniform(0, 255, (40, 40, 3)) * (0.3 + 0.7 * np.array(colour))
                Image.fromarray(noise.astype(np.uint8)).save(folder / f"{number}.png")
    return root


@pytest.mark.slow
def test_the_recipe_learns_a_small_data_set(gapnet: Command, tmp_path: Path) -> None:
    torch.save(timm.create_model(NETWORK).state_dict(), tmp_path / "weights.pth")
    outcome = gapnet(
        "train",
        "experiment=finetune",
        "data=folder",
        f"data.root={photographs(tmp_path / 'photos', images=48)}",
        f"model.name=timm/{NETWORK}",
        "model.weights=weights.pth",
        "model.input_size=64",
        "model.stride=16",
        "trainer.accelerator=cpu",
        "loader.num_workers=0",
        "report.images=0",
    )
    assert outcome.status == 0, outcome.err
    assert "experiment=finetune" not in outcome.err
    rows = json.loads(Path("runs/latest/metrics.json").read_text())
    (error,) = (row["value"] for row in rows if row["metric"] == "top1_error")
    assert error <= 0.1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"published_counts": {"train": 1}}, False),
        ({"kind": "stand-in"}, False),
        ({"images": FEW_IMAGES}, False),
        ({"name": "resnet18_gap"}, False),
        ({"weights": "a.pth"}, False),
    ],
    ids=str,
)
def test_a_tiny_network_trained_from_scratch_on_few_images_of_one_s_own_needs_pretraining(
    change: dict[str, object], *, expected: bool
) -> None:
    values = {
        "published_counts": {},
        "kind": Folder.kind,
        "images": 100,
        "name": "tiny_gap",
        "weights": tiny_gap(2).facts.weights,
        **change,
    }
    state = SimpleNamespace(**values)
    network = SimpleNamespace(name=state.name, facts=state)
    assert needs_pretraining(network, state, state.images) == expected


@pytest.mark.slow
def test_training_such_a_network_names_the_recipe_in_one_line(
    gapnet: Command, tmp_path: Path
) -> None:
    root = photographs(tmp_path / "photos", images=9)
    quick = ["debug=fast", "evaluate=false", "trainer.accelerator=cpu", "model.input_size=32"]
    outcome = gapnet("train", "data=folder", f"data.root={root}", *quick)
    assert outcome.status == 0, outcome.err
    assert len([line for line in outcome.err.splitlines() if "experiment=finetune" in line]) == 1


def colourful(root: Path, *, images: int) -> Path:
    """Draw black images with a red square, a green one or both, and a table of their boxes."""
    generator = np.random.default_rng(0)
    lines = ["image,label,xmin,ymin,xmax,ymax,split"]
    for split, count in (("train", images), ("test", images // 4)):
        for number in range(count):
            pixels = np.zeros((40, 40, 3), np.uint8)
            for place, name in enumerate(("red", "green")):
                if number % 3 in (place, 2):
                    x, y = generator.integers(0, 24, 2)
                    pixels[y : y + 16, x : x + 16, place] = 255
                    lines.append(f"{split}{number}.png,{name},{x},{y},{x + 15},{y + 15},{split}")
            Image.fromarray(pixels).save(root / f"{split}{number}.png")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.slow
def test_several_classes_of_an_image_are_learned_and_predicted(
    gapnet: Command, tmp_path: Path
) -> None:
    root = tmp_path / "squares"
    root.mkdir()
    data = ["data=csv", f"data.root={colourful(root, images=96)}", "data.several=all"]
    quick = ["trainer.accelerator=cpu", "loader.num_workers=0", "report.images=2"]
    training = ["model.input_size=32", "trainer.max_epochs=12", "loader.batch_size=8"]
    refusal = gapnet("train", *data, *quick, *training)
    assert refusal.status == 1
    assert "classifier.loss=bce" in refusal.err.splitlines()[-1]
    options = ["classifier.loss=bce", "classifier.class_weights=balanced"]
    outcome = gapnet("train", *data, *quick, *training, *options)
    assert outcome.status == 0, outcome.err
    header, *rows = csv.reader(Path("runs/latest/logs/metrics.csv").read_text().splitlines())
    column = header.index("val/mean_average_precision")
    assert float([row[column] for row in rows if row[column]][-1]) > 0.95
    rows = json.loads(Path("runs/latest/metrics.json").read_text())
    (precision,) = (row for row in rows if row["metric"] == "mean_average_precision")
    assert precision["value"] > 0.9
    both = [str(root / f"test{number}.png") for number in (2, 5, 8)]
    outcome = gapnet("predict", *both, "run=runs/latest", "top=2")
    assert outcome.status == 0, outcome.err
    table = list(csv.DictReader(Path("explained/boxes.csv").read_text().splitlines()))
    assert len(table) == 6
    assert np.mean([float(row["score"]) for row in table]) > 0.6  # a softmax would give 0.5
