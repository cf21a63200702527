"""Time prediction (top-5 classes, maps, boxes, all thresholds) against the forward pass alone.

python experiments/benchmarks/predict.py [--networks googlenet_gap resnet50_gap vgg16_gap]

The networks are untrained, and so their maps are rugged: boxes of these take longer than of others.
"""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from side_by_side import Row, alternate, options_of, parser_of, publish
from torch import Tensor
from torch.nn.functional import interpolate

import gapnet.models
from gapnet.data.records import Record, Records
from gapnet.data.sample import Batch
from gapnet.evaluation.predict import Predictor, SplitToPredict
from gapnet.evaluation.store import About, AnyRow, Writer
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.ops import lazy_sweep
from gapnet.saliency.cam.cam import Cam

NETWORKS = ("googlenet_gap", "resnet50_gap", "vgg16_gap")
FORWARD, COMPILED, OUTLINES = "the forward pass", "predict with numba", "predict without numba"
GOALS = {COMPILED: 1.05, OUTLINES: 1.10}
WORTH_LOADING = {COMPILED: 0, OUTLINES: 2**62}  # cells
CLASSES, IMAGES = 1000, 32
SIZE = (375, 500)  # (height, width) of the files


def main() -> None:
    """Check, time and publish."""
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, choices=NETWORKS)
    options = options_of(parser)
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # one thread computes boxes, too
    rows = []
    for name in options.networks:
        torch.manual_seed(0)
        network: GapNet = getattr(gapnet.models, name)(CLASSES, pretrained=False).eval()
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            rows += _time(name, network, Path(folder), options.repeats)
    publish("predict", rows, options.to)


def _time(name: str, network: GapNet, folder: Path, repeats: int) -> list[Row]:
    batch = _draw(network.facts.input_size)
    ways: dict[str, Callable[[], object]] = {
        FORWARD: lambda: network(network.normalise(batch.images)),
        COMPILED: partial(_predict, network, batch, folder, COMPILED),
        OUTLINES: partial(_predict, network, batch, folder, OUTLINES),
    }
    assert str(ways[COMPILED]()) == str(ways[OUTLINES]())
    seconds = alternate(ways, repeats=repeats)
    an_image = {way: time / IMAGES for way, time in seconds.items()}
    return [
        Row(f"{name}, {way}, per image", an_image, FORWARD, way, goal)
        for way, goal in GOALS.items()
    ]


def _predict(network: GapNet, batch: Batch, folder: Path, way: str) -> list[AnyRow]:
    """Return the rows of a batch."""
    lazy_sweep.WORTH_LOADING = WORTH_LOADING[way]
    writer = Writer(folder, About("test", (), network.name))
    boxes = torch.tensor([[100.0, 100.0, 300.0, 300.0]])
    records = Records.of([Record(name, folder / name, 0, boxes) for name in batch.ids], folder)
    localizer = Localizer(Cam(), ThresholdBoxer(), OnePerClass())
    predictor = Predictor(network, localizer, [SplitToPredict(records, writer)])
    predictor.predict_step(batch, 0)
    predictor.finish()
    predictor.close()
    return writer.rows


def _draw(size: tuple[int, int]) -> Batch:
    """Draw a batch of smooth pictures."""
    coarse = torch.rand(IMAGES, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images: Tensor = interpolate(coarse, size=size, mode="bilinear").mul(255).byte()
    window = torch.tensor([0.0, 0.0, SIZE[1], SIZE[0]])
    return Batch(
        images=images,
        labels=torch.zeros(IMAGES, dtype=torch.long),
        boxes=[None] * IMAGES,
        sizes=torch.tensor([SIZE] * IMAGES),
        windows=window.expand(IMAGES, 4),
        ids=[f"{index}.jpg" for index in range(IMAGES)],
        corrupt=[None] * IMAGES,
    )


if __name__ == "__main__":
    main()
