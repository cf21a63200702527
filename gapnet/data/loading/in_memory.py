"""Training images that stay in the memory of the device, which also computes their random views.

Reading and resizing of files limits a small network on a GPU; this needs neither after the start.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil, log
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample
from torchvision.transforms import v2

from gapnet.data.loading.images import Draw, Images
from gapnet.data.loading.sampling import Shuffle
from gapnet.data.sample import Batch
from gapnet.errors import GapnetError

MOST_BYTES = 2**34  # of the images of a split
Device = Callable[[], torch.device]


class Stored(NamedTuple):
    """Images (N, 3, H, W) and labels (N,) on the device, and what else a batch has, on the CPU."""

    pixels: Tensor
    labels: Tensor
    ids: list[str]
    label_sets: list[tuple[int, ...]]


class InMemory:
    """Loader of a training split whose images are read once, when the first epoch starts.

    They are resized to the input's size; the random views are parts of that. So they have the
    distribution of `random_view`, but are not the same pixels: they are resampled twice, without
    antialiasing, and a side of a part that would exceed the image is that of the image.
    """

    def __init__(
        self,
        images: Images,
        view: v2.Transform,
        sampler: Shuffle,
        *,
        batch_size: int,
        readers: int,
        device: Device,
    ) -> None:
        """Prepare the loader; nothing is read yet.

        Args:
            images: the whole images, in the input's size.
            view: the random view; its first step must be a RandomResizedCrop.
            sampler: order of the images, and seeds.
            batch_size: images per batch.
            readers: threads that read the files.
            device: returns the device of the training.
        """
        self.images, self.sampler, self.batch_size = images, sampler, batch_size
        self.readers, self.device = max(1, readers), device
        self.crop, self.flip = _random_crop(view)
        self._stored: Stored | None = None

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return ceil(len(self.sampler) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the batches of the sampler's epoch; they are on the device already."""
        if self._stored is None:
            self._stored = self._store()
        draws = list(self.sampler)
        for start in range(0, len(draws), self.batch_size):
            yield self._batch(self._stored, draws[start : start + self.batch_size])

    def _store(self) -> Stored:
        records, device = self.images.records, self.device()
        label_sets = [record.labels for record in records] if records.multi_label else []
        pixels, labels = self._read().to(device), records.labels.to(device)
        return Stored(pixels, labels, records.ids, label_sets)

    def _read(self) -> Tensor:
        """Read all images, (N, 3, H, W) bytes."""
        first = self.images[0].image
        if first.numel() * len(self.images) > MOST_BYTES:
            raise GapnetError(
                f"loader.in_memory=true: {len(self.images)} images take more than "
                f"{MOST_BYTES >> 30} GiB; set loader.in_memory=false"
            )
        pixels = first.new_empty((len(self.images), *first.shape))

        def read(row: int) -> None:
            pixels[row] = self.images[row].image

        with ThreadPoolExecutor(self.readers) as pool:
            list(pool.map(read, range(len(self.images))))
        return pixels

    def _batch(self, stored: Stored, draws: Sequence[Draw]) -> Batch:
        generator = torch.Generator().manual_seed(draws[0].seed)
        rows, size, device = [draw.row for draw in draws], stored.pixels.shape[-2:], self.device()
        parts = random_parts(len(rows), size, self.crop, self.flip, generator)
        chosen = torch.tensor(rows).to(device)
        return Batch(
            images=shown_parts(stored.pixels[chosen], parts.to(device)),
            labels=stored.labels[chosen],
            boxes=[None] * len(rows),
            sizes=torch.tensor([size] * len(rows)),
            windows=torch.zeros(len(rows), 4),  # not known: boxes are not used in training
            ids=[stored.ids[row] for row in rows],
            corrupt=[None] * len(rows),
            label_sets=[stored.label_sets[row] for row in rows] if stored.label_sets else (),
        )


def _random_crop(view: v2.Transform) -> tuple[v2.RandomResizedCrop, float]:
    """Return the random crop of a view, and how often it is mirrored."""
    steps = list(view.transforms) if isinstance(view, v2.Compose) else []
    if not steps or not isinstance(steps[0], v2.RandomResizedCrop):
        raise GapnetError("loader.in_memory=true: needs augment=mild or augment=inception")
    flips = [step.p for step in steps if isinstance(step, v2.RandomHorizontalFlip)]
    return steps[0], flips[0] if flips else 0.0


def random_parts(
    count: int,
    size: Sequence[int],
    crop: v2.RandomResizedCrop,
    flip: float,
    generator: torch.Generator,
) -> Tensor:
    """Draw parts of images as affine maps (count, 2, 3) from -1..1 to -1..1.

    Args:
        count: number of parts.
        size: (height, width) of the images.
        crop: its scale is the share of the area, its ratio that of the width to the height.
        flip: share of the parts that are mirrored.
        generator: of the random numbers.
    """
    area, shape, x, y, mirrored = torch.rand(5, count, generator=generator)
    low, high = (log(bound * size[0] / size[1]) for bound in crop.ratio)
    ratio = torch.exp(low + (high - low) * shape)
    share = crop.scale[0] + (crop.scale[1] - crop.scale[0]) * area
    width, height = (share * ratio).sqrt().clamp(max=1), (share / ratio).sqrt().clamp(max=1)
    sign = torch.where(mirrored < flip, -1.0, 1.0)
    zero = torch.zeros(count)
    across = torch.stack([width * sign, zero, (1 - width) * (2 * x - 1)], dim=1)
    down = torch.stack([zero, height, (1 - height) * (2 * y - 1)], dim=1)
    return torch.stack([across, down], dim=1)


def shown_parts(images: Tensor, parts: Tensor) -> Tensor:
    """Return parts of images, bytes (B, 3, H, W), resized to the size of the images."""
    grid = affine_grid(parts, list(images.shape), align_corners=False)
    shown = grid_sample(
        images.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return shown.round().clamp(0, 255).to(torch.uint8)
