"""Images of a split as a torch data set."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil, floor
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from gapnet.data.image_files import DISK, Files
from gapnet.data.loading.geometry import Size, plan_of
from gapnet.data.loading.jpeg import read_jpeg
from gapnet.data.loading.kernels import (
    PLAIN,
    Loading,
    Picture,
    part_of,
    pillow_image,
    size_of,
)
from gapnet.data.loading.views import apply_view
from gapnet.data.options import Reading
from gapnet.data.readers.image_sizes import FORMATS
from gapnet.data.records import Record, Records
from gapnet.data.sample import Sample
from gapnet.errors import GapnetError, reason

Parts = Mapping[str, Sequence[float]]  # image id -> inclusive box x1, y1, x2, y2 in its file
STRICT = Reading()
GREY = 128  # of 255: replaces an image that cannot be read
SIXTEEN_BIT_FORMATS = {"PNG", "PPM"}  # Pillow may read their grey in its mode of 32 bits


class UnreadableImageError(GapnetError):
    """A file cannot be read as an image; `Reading.on_corrupt` decides what happens."""


class Draw(NamedTuple):
    """Request for the image of a row, with the seed of its random view."""

    row: int
    seed: int


class Images(Dataset[Sample]):
    """Images of a split under a view; a `Draw` seeds the view, so that workers do not matter.

    A file that cannot be read is an error. If `reading` skips it, a row gives a grey image of size
    (0, 0), which is counted as wrong, and a `Draw` gives the next readable image with the same
    seed; both samples name the unreadable file.
    """

    def __init__(
        self,
        records: Records,
        view: v2.Transform,
        reading: Reading = STRICT,
        parts: Parts | None = None,
        *,
        loading: Loading = PLAIN,
    ) -> None:
        """Apply `view` to the image of every record, or to a part of it."""
        self.records = records
        self.view = view
        self.reading = reading
        self.parts = parts
        self.loading = loading
        self.plan = plan_of(view)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.records)

    def __getitem__(self, item: int | Draw) -> Sample:
        """Read one image."""
        skip = self.reading.on_corrupt == "skip"
        if isinstance(item, Draw):
            with _seeded(item.seed):
                return self._next_readable(item.row) if skip else self._read(self.records[item.row])
        record = self.records[item]
        return (self._try(record) or self._blank(record)) if skip else self._read(record)

    def _read(self, record: Record) -> Sample:
        read = read_image if self.loading.decoder == "pil" else read_picture
        picture = read(record.path, exif=self.reading.exif, files=self.reading.files)
        size = size_of(picture)
        _check_boxes(record, size)
        shown, window = self._show(picture, record)
        return Sample(
            shown, record.label, record.boxes, size, window, record.id, labels=record.labels
        )

    def _show(self, picture: Picture, record: Record) -> tuple[Tensor, Tensor]:
        """Return the view of an image or of its part, and the window in pixels of the file."""
        if self.parts is None:
            return self._apply(picture)
        height, width = size_of(picture)
        edges = edges_of_part(self.parts[record.id], (width, height))
        shown, window = self._apply(part_of(picture, edges))
        return shown, window + torch.tensor(edges[:2] * 2)

    def _apply(self, picture: Picture) -> tuple[Tensor, Tensor]:
        size = size_of(picture)
        geometry = self.plan.draw(size) if self.plan else None
        if self.plan is None or geometry is None:
            return apply_view(pillow_image(picture), self.view)
        shown = self.loading.kernel(picture, geometry, self.plan.interpolation)
        return shown, geometry.window(size)

    def _try(self, record: Record) -> Sample | None:
        try:
            return self._read(record)
        except UnreadableImageError:
            return None

    def _blank(self, record: Record) -> Sample:
        """Return a grey sample for an unreadable file, in the size that the view gives."""
        shown, window = apply_view(Image.new("RGB", (1, 1)), self.view)
        return Sample(
            image=torch.full_like(shown, GREY),
            label=record.label,
            boxes=record.boxes,
            size=(0, 0),
            window=torch.zeros_like(window),
            id=record.id,
            corrupt=str(record.path),
            labels=record.labels,
        )

    def _next_readable(self, row: int) -> Sample:
        """Return the first readable image from `row` on; `corrupt` names `row` if it is not it."""
        tries = min(self.reading.max_corrupt + 1, len(self))
        for step in range(tries):
            sample = self._try(self.records[(row + step) % len(self)])
            if sample is not None:
                return sample._replace(corrupt=str(self.records[row].path) if step else None)
        raise GapnetError(
            f"{self.records[row].path}: {tries} images, starting with this one, cannot be read "
            f"(data.max_corrupt={self.reading.max_corrupt}); restore the files"
        )


def edges_of_part(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the edges of an inclusive box in whole pixels, inside an image of (width, height).

    >>> edges_of_part((0.5, 2, 8.2, 90), (20, 10))
    (0, 2, 10, 10)
    """
    (x1, y1, x2, y2), (width, height) = box, size
    left, top = min(max(floor(x1), 0), width - 1), min(max(floor(y1), 0), height - 1)
    right, bottom = min(ceil(x2) + 1, width), min(ceil(y2) + 1, height)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _check_boxes(record: Record, size: Size) -> None:
    """Check boxes against the size of the image, which the annotation may state wrongly."""
    if record.boxes is None or not len(record.boxes):
        return
    height, width = size
    right, bottom = record.boxes[:, 2:].amax(0).tolist()
    if right > width or bottom > height:  # some annotators counted pixels from 1
        raise GapnetError(
            f"{record.path}: has {width} x {height} pixels, but a box reaches "
            f"({right:.0f}, {bottom:.0f}); restore the image or its annotation"
        )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torchvision's generator within the block, and restore it.

    torch.manual_seed would also queue a call for every GPU, for every image.
    """
    state = torch.default_generator.get_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(state)


def read_image(path: Path, *, exif: bool = False, files: Files = DISK) -> Image.Image:
    """Read a file as RGB, whatever its name, in the pixels that boxes refer to.

    Those are the pixels as stored, or with `exif` rotated by the EXIF orientation. (A TIFF is
    always rotated, because the orientation is a part of the format.) Transparent pixels get the
    colour that is stored for them, as in torchvision and published results.
    """
    with _named(path, files), files.open(path) as file:
        return _by_pillow(file, exif=exif)


def read_picture(path: Path, *, exif: bool = False, files: Files = DISK) -> Picture:
    """Read a file as `read_image` does, the same pixels, but a plain JPEG in less time."""
    with _named(path, files), files.open(path) as file:
        pixels = read_jpeg(file, exif=exif)
        return _by_pillow(file, exif=exif) if pixels is None else pixels


@contextmanager
def _named(path: Path, files: Files) -> Iterator[None]:
    """Name the image in every error of its reading."""
    try:
        yield
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such image, but its split lists it; restore it") from error
    except (GapnetError, MemoryError):  # the shard or the memory is the cause, not the image
        raise
    except Exception as error:  # decoders raise anything at invalid bytes
        raise UnreadableImageError(
            f"{path}: cannot be read as an image ({_reason(error, files.size(path))}); "
            "restore the file, or do without it: data.on_corrupt=skip"
        ) from error


def _by_pillow(file: BinaryIO, *, exif: bool) -> Image.Image:
    with Image.open(file, formats=FORMATS) as image:
        image.load()
        if exif:
            ImageOps.exif_transpose(image, in_place=True)
        return _to_rgb(image)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F" or (image.mode == "I" and image.format not in SIXTEEN_BIT_FORMATS):
        raise ValueError(f"mode {image.mode}: 32 bits do not define white; convert to 8 or 16 bits")
    if image.mode == "I" or image.mode.startswith("I;16"):
        # The upper eight bits, as Pillow takes them of colour; its own conversion of grey clips.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")  # Pillow warns of the direct way
    return image.convert("RGB")


def _reason(error: Exception, size: int | None) -> str:
    """Describe the error of a decoder in one line."""
    if isinstance(error, UnidentifiedImageError):
        return "unknown image format" if size else "it is empty"
    return reason(error)
