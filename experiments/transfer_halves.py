"""Train on half of the classes of the stand-in data, and transfer to the other half.

transfer_halves.py OUT [arguments of gapnet train] trains one network on each half, and SVMs
on the features that the first network has for the second half. Repeat it to continue.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gapnet.data import shapes
from gapnet.data.readers.annotations import read_voc
from gapnet.data.readers.ilsvrc_layouts import ANNOTATIONS, IMAGES
from gapnet.data.sample import Source

CLASSES = 12
Metrics = dict[tuple[str, str | None], dict[str, Any]]
REGIONS = {"full": "the whole image", "crop": "the class map's box", "box": "the true box"}
HEAD = (
    "| classifier of the second half | accuracy | GTK error, 20% | GTK error, threshold of val |",
    "|---|---|---|---|",
)


def main(out: Path, arguments: Sequence[str]) -> None:
    """Run the study, and print its table."""
    source = shapes(folder=out / "data", classes=CLASSES, scenes="ilsvrc")
    half = CLASSES // 2
    for name, labels in (("first", range(half)), ("second", range(half, CLASSES))):
        write_half(source, labels, out / name)
        own = [f"name={name}", f"folder={out}/run-{name}", "resume=auto", "report.images=0"]
        run("train", out / name, [*own, *arguments])
    for region in REGIONS:
        own = [f"run={out}/run-first", f"region={region}", "report.images=0", "resume=true"]
        run("transfer", out / "second", [*own, f"folder={out}/transfer-{region}"])
    text = "\n".join([*HEAD, *rows(out)])
    (out / "table.md").write_text(text + "\n")
    print(text)


def write_half(source: Source, labels: Sequence[int], folder: Path) -> None:
    """Link the images of some classes into folders by class, and write their boxes."""
    if (folder / "boxes.csv").is_file():
        return
    lines = ["image,xmin,ymin,xmax,ymax"]
    for split, name in (("train_cls", "train"), ("test", "test")):
        for record in source.records(split):
            if record.label not in labels:
                continue
            link = folder / name / source.classes[record.label] / f"{record.path.stem}.jpg"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(record.path.absolute())
            inside = record.path.relative_to(source.root / IMAGES).with_suffix(".xml")
            boxes = read_voc(source.root / ANNOTATIONS / inside).boxes.tolist()
            corners = (",".join(f"{value:g}" for value in box) for box in boxes)
            lines += [f"{link.relative_to(folder)},{text}" for text in corners]
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")


def run(command: str, root: Path, arguments: Sequence[str]) -> None:
    """Run a gapnet command on a half."""
    data = ["data=folder", f"data.root={root}", f"data.boxes={root}/boxes.csv"]
    subprocess.run([sys.executable, "-m", "gapnet", command, *data, *arguments], check=True)


def rows(out: Path) -> list[str]:
    """Return the rows of the table."""
    trained, full = metrics_of(out / "run-second"), metrics_of(out / "transfer-full")
    whole: Metrics = {("gt_known_error", "fixed"): full["whole_image_gt_known_error", None]}
    regions = {key: metrics_of(out / f"transfer-{key}") for key in REGIONS}
    return [
        row("trained from scratch", trained),
        *(row(f"SVM on {text}", regions[key]) for key, text in REGIONS.items()),
        row("no classifier: the box of the whole image", whole),
    ]


def metrics_of(folder: Path) -> Metrics:
    """Read the metrics of a folder, by name and by how the threshold was chosen."""
    listed = json.loads((folder / "metrics.json").read_text())
    return {(metric["metric"], metric["chosen_on"]): metric for metric in listed}


def row(name: str, metrics: Metrics) -> str:
    """Return a row of the table."""
    accuracy = metrics.get(("accuracy", None))
    error = metrics.get(("top1_error", None)) if accuracy is None else None
    if error is not None:
        values = {"value": 1 - error["value"], "low": 1 - error["high"], "high": 1 - error["low"]}
        accuracy = values
    boxes = [metrics.get(("gt_known_error", chosen)) for chosen in ("fixed", "val")]
    return " | ".join([f"| {name}", *map(cell, [accuracy, *boxes])]) + " |"


def cell(metric: dict[str, Any] | None) -> str:
    """Return a value in percent with its interval; nothing if there is no value."""
    if metric is None:
        return ""
    value, low, high = (100 * metric[key] for key in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2:])
