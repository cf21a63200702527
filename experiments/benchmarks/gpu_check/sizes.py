"""How much `gpu.py` draws, trains and times."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gapnet.data.index import cores

IMAGES_A_CORE = 512  # to train on: drawn at about 20 a second
MOST_IMAGES, FEWEST_IMAGES = 8192, 2048
MOST_WORKERS = 14
AHEAD = 2  # batches that each worker has ready
SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class Sizes:
    """The size of every stage.

    Args:
        side: of the images, in pixels.
        classes: of the data set.
        train: images to train on.
        val: images to choose thresholds on.
        test: images to predict.
        batch: images a batch, in all stages.
        epochs: of a timed training.
        workers: processes that read images.
        interrupted: overrides that size the training that is killed.
        evaluated: images of each split that both devices evaluate.
        network: overrides that choose and size the network.
        recipe: overrides of a timed training.
        precisions: of the timed trainings.
        compiled: those of them in which a network is also compiled.
    """

    side: int
    classes: int
    train: int
    val: int
    test: int
    batch: int
    epochs: int
    workers: int
    interrupted: tuple[str, ...]
    evaluated: int
    network: tuple[str, ...]
    recipe: tuple[str, ...]
    precisions: tuple[str, str]
    compiled: tuple[str, ...]

    @property
    def skip(self) -> int:
        """Count the batches of an epoch that may have been ready before they were asked for."""
        return max(1, AHEAD * self.workers)

    def data(self) -> dict[str, Any]:
        """Give the arguments of the data set, by their names in conf/data/shapes.yaml."""
        names = ("classes", "train", "val", "test")
        counts = {name: getattr(self, name) for name in names}
        return {"scenes": "sparse", "size": self.side, **counts}

    def plain(self) -> dict[str, Any]:
        """Give all of it as JSON can hold it."""
        return {**asdict(self), "skip": self.skip}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Sizes":
        """Read what `plain` gave."""
        return cls(**{field.name: plain[field.name] for field in fields(cls)})


REHEARSAL = Sizes(
    side=48,
    classes=3,
    train=96,
    val=24,
    test=24,
    batch=8,
    epochs=3,
    workers=1,
    interrupted=("model.input_size=79", "model.thin=32"),
    evaluated=24,
    network=("model=tiny_gap", "model.input_size=48", "model.width=8"),
    recipe=(),
    precisions=("bf16-mixed", "32-true"),  # the CPU has no 16-mixed
    compiled=(),  # a CPU takes minutes
)


def full_size() -> Sizes:
    """Size the stages for one GPU and the cores of this machine."""
    side, batch = 224, 128
    return Sizes(
        side=side,
        classes=12,
        train=min(MOST_IMAGES, max(FEWEST_IMAGES, IMAGES_A_CORE * cores())),
        val=256,
        test=768,
        batch=batch,
        epochs=3,
        workers=_workers(3 * side**2 * batch),
        interrupted=("model.input_size=227", "model.thin=4", f"loader.limit={10 * batch}"),
        evaluated=256,
        network=("model=googlenet_gap", "model.input_size=224"),
        recipe=("optim.lr=0.001", "optim.head_multiplier=1"),
        precisions=("bf16-mixed", "16-mixed"),
        compiled=("bf16-mixed", "16-mixed"),
    )


def _workers(batch_bytes: int) -> int:
    """Count the processes that cores and shared memory leave room for."""
    room = shutil.disk_usage(SHARED).free // (2 * AHEAD * batch_bytes) if SHARED.exists() else 0
    return max(0, min(MOST_WORKERS, cores() - 2, room))
