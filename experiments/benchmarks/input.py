"""Time the reading of images by one worker against ImageFolder with torchvision's transforms.

python experiments/benchmarks/input.py
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from drawn_photographs import CLASSES, SIZE, draw_photographs
from side_by_side import Row, alternate, options_of, parser_of, publish
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from gapnet import models
from gapnet.data.loading.images import Draw, Images
from gapnet.data.loading.kernels import Loading
from gapnet.data.loading.sampling import Share, Shuffle
from gapnet.data.loading.views import centre_view, random_view, whole_view
from gapnet.data.records import Record, Records
from gapnet.data.sample import collate

PEER = "ImageFolder + torchvision"
FAST, EXACT = "loader.resize=torch", "by default"
WAYS = {FAST: Loading(resize="torch"), EXACT: Loading()}
IMAGES, BATCH, CROP, RESIZED = 32, 32, 224, 256
TURNS = 4  # short ones, so that other programs disturb all ways alike: times options.repeats
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BOX = (100.0, 50.0, 399.0, 299.0)
GOAL = 0.50
LEVELS = {FAST: 1, EXACT: 0}  # of 255, by which values may differ from the peer's
TO_FLOATS = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION)]


class Input(NamedTuple):
    """A kind of input: our view, and the peer's steps up to bytes."""

    what: str
    view: v2.Transform
    peer: list[v2.Transform]
    trains: bool


INPUTS = (
    Input(
        "training, random crop and flip",
        random_view((CROP, CROP)),
        [v2.RandomResizedCrop(CROP), v2.RandomHorizontalFlip()],
        trains=True,
    ),
    Input(
        "evaluation, resize 256 and centre 224, boxes",
        centre_view((CROP, CROP)),
        [v2.Resize(RESIZED), v2.CenterCrop(CROP)],
        trains=False,
    ),
    Input(
        "evaluation, squashed to 224, boxes",
        whole_view((CROP, CROP)),
        [v2.Resize([CROP, CROP])],
        trains=False,
    ),
)


class WithBoxes(ImageFolder):  # type: ignore[misc]
    """ImageFolder that gives an image with its boxes, which the transforms move."""

    def __getitem__(self, index: int) -> Any:
        """Read an image."""
        path, label = self.samples[index]
        boxes = tv_tensors.BoundingBoxes([BOX], format="XYXY", canvas_size=SIZE[::-1])
        return *self.steps(self.loader(path), boxes), label


def peer_loader(root: Path, kind: Input, *, to_floats: bool) -> DataLoader[Any]:
    """Return the peer's loader."""
    steps = v2.Compose([*kind.peer, v2.PILToTensor(), *(TO_FLOATS if to_floats else [])])
    if kind.trains:
        return DataLoader(ImageFolder(root, steps), batch_size=BATCH, shuffle=True)
    folder = WithBoxes(root)
    folder.steps = steps
    return DataLoader(folder, batch_size=BATCH)


def our_loader(paths: list[Path], kind: Input, loading: Loading) -> DataLoader[Any]:
    """Return our loader."""
    boxes = None if kind.trains else torch.tensor([BOX])
    listed = [Record(path.name, path, CLASSES.index(path.parent.name), boxes) for path in paths]
    images = Images(Records.of(listed, paths[0].parent), kind.view, loading=loading)
    order = [range(start, start + BATCH) for start in range(0, len(paths), BATCH)]
    sampler = Shuffle(len(paths), seed=0, batch_size=BATCH) if kind.trains else Share(order)
    return DataLoader(images, batch_size=BATCH, sampler=sampler, collate_fn=collate)


def read_peer(loader: DataLoader[Any]) -> None:
    """Read all of the peer's batches."""
    for _ in loader:
        pass


def read_ours(loader: DataLoader[Any], finish: Callable[[Tensor], Tensor] | None) -> None:
    """Read all of our batches."""
    for batch in loader:
        if finish is not None:
            finish(batch.images)


def check(paths: list[Path], kind: Input, normalise: Callable[[Tensor], Tensor]) -> None:
    """Stop if the values differ by more than a level from the peer's, of the same random crops."""
    bytes_of = v2.Compose([*kind.peer, v2.PILToTensor()])
    for name, loading in WAYS.items():
        images = our_loader(paths, kind, loading).dataset
        for row in range(BATCH):
            ours = images[Draw(row, row)].image
            torch.manual_seed(row)
            theirs = bytes_of(ImageFolder(paths[0].parents[1]).loader(paths[row]))
            assert (ours.int() - theirs.int()).abs().max() <= LEVELS[name], (name, row)
            floats = v2.Compose(TO_FLOATS)(ours)
            torch.testing.assert_close(normalise(ours[None])[0], floats)


def rows_of(paths: list[Path], kind: Input, repeats: int) -> list[Row]:
    """Time one kind of input, to bytes and to normalised floats."""
    network = models.tiny_gap(len(CLASSES))
    check(paths, kind, network.normalise)
    rows = []
    for to_floats, ends in ((True, "normalised"), (False, "bytes")):
        peer = peer_loader(paths[0].parents[1], kind, to_floats=True)
        finish = network.normalise if to_floats else None
        ways = {PEER: partial(read_peer, peer)} | {
            name: partial(read_ours, our_loader(paths, kind, loading), finish)
            for name, loading in WAYS.items()
        }
        seconds = alternate(ways, repeats=TURNS * repeats)
        an_image = {name: time / len(paths) for name, time in seconds.items()}
        what = f"{kind.what}, {ends}"
        rows += [Row(f"{what}, {name}", an_image, PEER, name, GOAL) for name in WAYS]
    return rows


def main() -> None:
    """Check, time and publish."""
    options = options_of(parser_of(__doc__))
    with tempfile.TemporaryDirectory() as folder:
        paths = draw_photographs(Path(folder), IMAGES)
        rows = [row for kind in INPUTS for row in rows_of(paths, kind, options.repeats)]
    publish("input", rows, options.to)


if __name__ == "__main__":
    main()
