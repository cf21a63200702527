"""Batches, workers and samplers, once for every data set."""

from collections.abc import Callable, Iterator
from random import Random

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Sampler
from torchvision.transforms import v2

from gapnet.data.images import Draw, Images, read_image
from gapnet.data.records import Records
from gapnet.data.sample import Sample, Source, collate
from gapnet.errors import GapnetError

View = Callable[[tuple[int, int]], v2.Transform]
SEEDS = 2**31


class Shuffle(Sampler[Draw]):
    """Draw every image once an epoch, in an order and under seeds that follow from the epoch."""

    def __init__(self, count: int, *, seed: int) -> None:
        """Shuffle `count` images."""
        self.count, self.seed, self.epoch = count, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the images of an epoch."""
        return self.count

    def __iter__(self) -> Iterator[Draw]:
        """Draw the epoch's images."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.count, generator=generator).tolist()
        seeds = torch.randint(SEEDS, (self.count,), generator=generator).tolist()
        return map(Draw, order, seeds)


class DataModule(pl.LightningDataModule):
    """Serve a source's splits as batches."""

    def __init__(
        self,
        source: Source,
        *,
        input_size: tuple[int, int],
        view: View,
        augment: View | None = None,
        batch_size: int = 32,
        num_workers: int = 2,
        limit: int | None = None,
        seed: int = 0,
    ) -> None:
        """Plan the loaders.

        Args:
            source: the data set on disk.
            input_size: (height, width) of the images that the network takes.
            view: makes the fixed view of images that are evaluated.
            augment: makes the random view of training images; without it they have the fixed one.
            batch_size: images per batch and device.
            num_workers: processes that read images; 0 reads in the main process.
            limit: take this many images of each split and no more, always the same ones; for trying
                things out.
            seed: of the order and the random views.
        """
        super().__init__()
        whole = {
            "batch_size": (batch_size, 1),
            "num_workers": (num_workers, 0),
            "limit": (limit, 1),
        }
        for name, (value, least) in whole.items():
            if value is not None and not (isinstance(value, int) and value >= least):
                raise GapnetError(f"loader.{name}={value}: must be a whole number from {least} on")
        self.source, self.limit, self.seed = source, limit, seed
        self.batch_size, self.num_workers = batch_size, num_workers
        self.view, self.augment = view(input_size), (augment or view)(input_size)
        self._records: dict[str, Records] = {}

    def records(self, split: str) -> Records:
        """List the records of a split that are used; they are read once."""
        if split not in self._records:
            records = self.source.records(split)
            if self.limit is not None and self.limit < len(records):
                records = records.take(sorted(Random(0).sample(range(len(records)), self.limit)))
            self._records[split] = records
        return self._records[split]

    def check(self, *splits: str) -> None:
        """Read the records and the first image of splits, and look for the other images.

        What is wrong there is so known before a training, not after it.
        """
        for split in dict.fromkeys(splits):
            records = self.records(split)
            read_image(records[0].path)
            for path in records.paths:
                if not path.is_file():
                    raise GapnetError(f"{path}: no such image; split {split!r} lists it")

    def images(self, split: str) -> Images:
        """Open a split under the fixed view."""
        return Images(self.records(split), self.view)

    def loader(self, split: str) -> DataLoader[Sample]:
        """Serve a split in order, each image once, under the fixed view."""
        return self._loader(self.images(split), sampler=None, drop_last=False)

    def train_dataloader(self) -> DataLoader[Sample]:
        """Serve the training split, shuffled, under random views; only in full batches."""
        images = Images(self.records(self.source.train_split), self.augment)
        sampler = Shuffle(len(images), seed=self.seed)
        return self._loader(images, sampler=sampler, drop_last=len(images) >= self.batch_size)

    def val_dataloader(self) -> DataLoader[Sample]:
        """Serve the split that chooses checkpoints and thresholds."""
        return self.loader(self.source.select_split)

    def _loader(
        self, images: Images, *, sampler: Shuffle | None, drop_last: bool
    ) -> DataLoader[Sample]:
        return DataLoader(
            images,
            batch_size=self.batch_size,
            sampler=sampler,
            drop_last=drop_last,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            collate_fn=collate,
            pin_memory=torch.cuda.is_available(),
        )
