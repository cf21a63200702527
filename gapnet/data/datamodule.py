"""Batches, workers and samplers, once for every data set."""

import logging
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Sampler
from torchvision.transforms import v2

from gapnet.data.files import Files
from gapnet.data.images import Draw, Images, read_image
from gapnet.data.records import Records
from gapnet.data.sample import Batch, Sample, Source, collate
from gapnet.errors import GapnetError

log = logging.getLogger(__name__)
View = Callable[[tuple[int, int]], v2.Transform]
SEEDS = 2**31
THREADS = 16  # that look for files


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


class Share(Sampler[int]):
    """Give a process its share of the batches that are left to do, in the order of the images.

    The images of a batch are the same whatever is left, and however many processes there are: the
    last digits of what a network says depend on who stands beside whom.
    """

    def __init__(self, batches: Sequence[range]) -> None:
        """Share out batches of rows."""
        self.batches = batches

    def __len__(self) -> int:
        """Count the images of this process."""
        return sum(map(len, self._mine()))

    def __iter__(self) -> Iterator[int]:
        """Give the rows of this process."""
        return chain.from_iterable(self._mine())

    def _mine(self) -> Sequence[range]:
        if not torch.distributed.is_initialized():
            return self.batches
        return self.batches[torch.distributed.get_rank() :: torch.distributed.get_world_size()]


def limited(records: Records, limit: int | None) -> Records:
    """Take `limit` records and no more, always the same ones."""
    if limit is None or limit >= len(records):
        return records
    return records.take(sorted(Random(0).sample(range(len(records)), limit)))


def _look(files: Files, path: Path) -> tuple[Path, bool]:
    return path, files.size(path) is not None


class DataModule(pl.LightningDataModule):
    """Serve a source's splits as batches."""

    def __init__(
        self,
        source: Source,
        *,
        input_size: tuple[int, int],
        canvas: tuple[int, int] | None = None,
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
            canvas: (height, width) of those that are evaluated, if crops are taken from them.
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
        self.view, self.augment = view(canvas or input_size), (augment or view)(input_size)
        self._records: dict[str, Records] = {}
        self._corrupt: set[str] = set()

    def records(self, split: str) -> Records:
        """List the records of a split that are used; they are read once."""
        if split not in self._records:
            self._records[split] = limited(self.source.records(split), self.limit)
        return self._records[split]

    def check(self, *splits: str) -> None:
        """Read the records and the first image of splits, and look for the other images.

        What is wrong there is so known before a training, not after it.
        """
        for split in dict.fromkeys(splits):
            records, reading = self.records(split), self.source.reading
            if reading.on_corrupt == "raise":
                read_image(records[0].path, exif=reading.exif, files=reading.files)
            twice = [each for each, times in Counter(records.ids).items() if times > 1]
            if twice:
                raise GapnetError(
                    f"split {split!r}: lists image {twice[0]} more than once; an id names one image"
                )
            paths = chain(records.paths(), records.mask_paths())
            look = partial(_look, reading.files)
            with ThreadPoolExecutor(THREADS) as pool:  # a file server answers many at once
                lacking = (path for path, there in pool.map(look, paths) if not there)
                path = next(lacking, None)
            if path is not None:
                raise GapnetError(f"{path}: no such file; split {split!r} lists it")

    def images(self, split: str) -> Images:
        """Open a split under the fixed view."""
        return Images(self.records(split), self.view, self.source.reading)

    def loader(self, split: str, *, done: Container[str] = ()) -> DataLoader[Sample]:
        """Serve a split in order, each image once, under the fixed view.

        Batches all of whose images are `done` are left out. Processes share what is left.
        """
        images = self.images(split)
        ids = images.records.ids
        batches = [
            range(start, min(start + self.batch_size, len(ids)))
            for start in range(0, len(ids), self.batch_size)
        ]
        left = [batch for batch in batches if any(ids[row] not in done for row in batch)]
        return self._loader(images, sampler=Share(left), drop_last=False)

    def train_dataloader(self) -> DataLoader[Sample]:
        """Serve the training split, shuffled, under random views; only in full batches."""
        records = self.records(self.source.train_split)
        images = Images(records, self.augment, self.source.reading)
        sampler = Shuffle(len(images), seed=self.seed)
        return self._loader(images, sampler=sampler, drop_last=len(images) >= self.batch_size)

    def val_dataloader(self) -> DataLoader[Sample]:
        """Serve the split that chooses checkpoints and thresholds."""
        return self.loader(self.source.select_split)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Count the files of a training that could not be read."""
        del dataloader_idx
        if self.trainer is not None and self.trainer.training:
            for path in batch.corrupt:
                self._count_corrupt(path)
        return batch

    def _count_corrupt(self, path: str | None) -> None:
        if path is None or path in self._corrupt:
            return
        self._corrupt.add(path)
        most = self.source.reading.max_corrupt
        log.warning("%s: cannot be read; another image takes its place", path)
        if len(self._corrupt) > most:
            raise GapnetError(
                f"data.max_corrupt={most}: more images than that cannot be read, {path} is the "
                "last of them; restore the files (log.txt names them)"
            )

    def _loader(
        self, images: Images, *, sampler: Shuffle | Share, drop_last: bool
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
