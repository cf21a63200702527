"""Images of a split as a torch data set."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms import v2

from gapnet.data.records import Record, Records
from gapnet.data.sample import Sample
from gapnet.data.transforms import show
from gapnet.errors import GapnetError


class Draw(NamedTuple):
    """Ask for the image in a row under the random view of a seed."""

    row: int
    seed: int


class Images(Dataset[Sample]):
    """Read records and show them; a `Draw` seeds the view, whatever worker reads it and when."""

    def __init__(self, records: Records, view: v2.Transform) -> None:
        """Show each record under `view`."""
        self.records = records
        self.view = view

    def __len__(self) -> int:
        """Count the images."""
        return len(self.records)

    def __getitem__(self, wanted: int | Draw) -> Sample:
        """Read one image."""
        if isinstance(wanted, int):
            return self._read(self.records[wanted])
        with _seeded(wanted.seed):
            return self._read(self.records[wanted.row])

    def _read(self, record: Record) -> Sample:
        image = read_image(record.path)
        _check_boxes(record, image)
        shown, window = show(image, self.view)
        return Sample(
            shown, record.label, record.boxes, (image.height, image.width), window, record.id
        )


def _check_boxes(record: Record, image: Image.Image) -> None:
    """Refuse boxes that reach beyond the file itself, whatever size its annotation claims."""
    if record.boxes is None:
        return
    right, bottom = record.boxes[:, 2:].amax(0).tolist()
    if right > image.width or bottom > image.height:  # some annotators counted pixels from 1
        raise GapnetError(
            f"{record.path}: has {image.width} x {image.height} pixels, but a box of its "
            f"annotation reaches to ({right:.0f}, {bottom:.0f}); the two do not belong together"
        )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generator that torchvision draws from, and put it back.

    torch.manual_seed would also queue a call for every GPU, image after image.
    """
    state = torch.default_generator.get_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(state)


def read_image(path: Path) -> Image.Image:
    """Read a file as RGB, in the pixels as stored: boxes refer to them, so EXIF turns nothing."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such image; its split lists it") from error
    except OSError as error:
        raise GapnetError(
            f"{path}: cannot be read as an image ({error}); restore the file"
        ) from error
