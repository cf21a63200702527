"""Time a training step through Lightning, with all that gapnet adds, against a bare loop.

python experiments/benchmarks/step.py [--networks tiny_gap resnet18_gap] [--steps 40]

Both train the same network on the same batch from memory, and take steps in turns: the difference
of neighbouring steps is measured, and its median printed. After the last step, both networks have
the same weights.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor
from side_by_side import OURS, Row, options_of, parser_of, publish
from torch import Tensor
from torch.nn.functional import cross_entropy

import gapnet.models
from gapnet.data.sample import Batch
from gapnet.jobs.job import quiet_lightning
from gapnet.jobs.resume import Start
from gapnet.jobs.trainers import Tracking, training_trainer
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.saliency.cam.cam import Cam
from gapnet.training import Classifier, OptimRecipe, Watch

NETWORKS = {"tiny_gap": (24, 112), "resnet18_gap": (32, 224)}  # images per batch, and their side
CLASSES, SMOOTHING, WARM_UP = 12, 0.1, 5
BARE, GOAL = "a bare loop", 1.02


class InTurns:
    """Batches of one training, between which another one does its steps; both are timed."""

    def __init__(self, batch: Batch, *, other: Callable[[], object], steps: int) -> None:
        """Give the batch `steps` times."""
        self.batch, self.other, self.steps = batch, other, steps
        self.ours: list[float] = []
        self.others: list[float] = []

    def __len__(self) -> int:
        """Count the steps: Lightning then fetches no batch ahead."""
        return self.steps

    def __iter__(self) -> Iterator[Batch]:
        """Let the other training do its step, and yield the batch.

        Lightning does not ask for more after the last batch, whose step is not timed.
        """
        for _ in range(self.steps):
            begun = time.process_time()
            self.other()
            between = time.process_time()
            self.others.append(between - begun)
            yield self.batch
            self.ours.append(time.process_time() - between)


def main() -> None:
    """Check, time and publish."""
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS], choices=[*NETWORKS])
    parser.add_argument("--steps", type=int, default=40, help="of each network")
    options = options_of(parser)
    quiet_lightning()
    rows = [_time(name, options.steps) for name in options.networks]
    publish("step", rows, options.to)


def _time(name: str, steps: int) -> Row:
    count, side = NETWORKS[name]
    torch.manual_seed(0)
    network: GapNet = getattr(gapnet.models, name)(CLASSES, pretrained=False, input_size=side)
    batch, recipe = _draw(count, side), OptimRecipe(torch.optim.AdamW, lr=1e-3, weight_decay=0.05)
    copied = deepcopy(network).train()
    optimizer, schedule = recipe.build(copied, steps)

    def bare() -> Tensor:
        optimizer.zero_grad()
        logits = copied(copied.normalise(batch.images))
        loss = cross_entropy(logits, batch.labels, label_smoothing=SMOOTHING)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        return loss

    turns = InTurns(batch, other=bare, steps=steps)
    gc.disable()
    _fit(network, recipe, turns)
    gc.enable()
    pairs = zip(network.state_dict().values(), copied.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs), "the weights differ"
    times = list(zip(turns.ours, turns.others, strict=False))[WARM_UP:]
    plain = statistics.median(other for _, other in times)
    added = statistics.median(ours - other for ours, other in times)
    print(f"{name}: {1000 * added:.2f} ms are added to a step of {1000 * plain:.1f} ms")
    return Row(f"{name}, {count} images", {OURS: plain + added, BARE: plain}, BARE, goal=GOAL)


def _fit(network: GapNet, recipe: OptimRecipe, batches: InTurns) -> None:
    """Train as `gapnet train` does, for one epoch without validation."""
    classifier = Classifier(
        network,
        recipe,
        Localizer(Cam(), ThresholdBoxer(), OnePerClass()),
        total_steps=len(batches),
        iou=0.5,
        inclusive=True,
        label_smoothing=SMOOTHING,
    )
    make = partial(pl.Trainer, max_epochs=1, accelerator="cpu", devices=1, limit_val_batches=0)
    callbacks = [Watch(), LearningRateMonitor(logging_interval="step")]
    with tempfile.TemporaryDirectory() as folder:
        trainer = training_trainer(
            make, callbacks, Tracking(images=0), folder=Path(folder), start=Start()
        )
        trainer.fit(classifier, batches)


def _draw(count: int, side: int) -> Batch:
    """Draw a batch of noise."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, side, side), generator=generator)
    return Batch(
        images=images.byte(),
        labels=torch.arange(count) % CLASSES,
        boxes=[None] * count,
        sizes=torch.tensor([(side, side)] * count),
        windows=torch.tensor([0.0, 0.0, side, side]).expand(count, 4),
        ids=[f"{index}.jpg" for index in range(count)],
        corrupt=[None] * count,
    )


if __name__ == "__main__":
    main()
