"""Data loaders of every data set: batches, workers and samplers."""

import logging
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from gapnet.data.file_names import check_split
from gapnet.data.image_files import Files
from gapnet.data.limited import limited
from gapnet.data.loading.images import Images, Parts, read_image
from gapnet.data.loading.in_memory import InMemory
from gapnet.data.loading.kernels import Decoder, Loading
from gapnet.data.loading.sampling import START, Progress, Share, Shuffle
from gapnet.data.loading.views import whole_view
from gapnet.data.records import Records
from gapnet.data.sample import Batch, Sample, Source, collate
from gapnet.errors import GapnetError
from gapnet.system.distributed import gather, maximum
from gapnet.system.value_checks import true_or_false, whole_number
from gapnet.system.workers import prepare_worker, signals_blocked

log = logging.getLogger(__name__)
View = Callable[[tuple[int, int]], v2.Transform]
THREADS = 16  # that check whether files exist


def _exists(files: Files, path: Path) -> tuple[Path, bool]:
    return path, files.size(path) is not None


class Loader(DataLoader[Sample]):
    """Data loader whose workers ignore signals, from their start."""

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # torch's type is private
        """Start the workers, if there are any."""
        with signals_blocked():
            return super().__iter__()


class Samples(NamedTuple):
    """Samples of another kind than images, one for each image of a split, and how they collate."""

    dataset: Dataset[Any]
    collate: Callable[[list[Any]], Any]


class DataModule(pl.LightningDataModule):
    """Lightning data module of a data set."""

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
        processes: int = 1,
        parts: Mapping[str, Parts] | None = None,
        decoder: Decoder = "auto",
        resize: str = "pil",
        in_memory: bool = False,
    ) -> None:
        """Set up the loaders.

        Args:
            source: the data set.
            input_size: (height, width) of the images that the network takes.
            canvas: (height, width) of evaluated images, if crops are taken from them.
            view: makes the fixed view of images that are evaluated.
            augment: makes the random view of training images; by default they have the fixed view.
            batch_size: images per batch and device.
            num_workers: processes that read images; 0 reads in the main process.
            limit: use at most this many images per split, always the same ones, to try
                something out.
            seed: of the order and the random views.
            processes: number of ranks that train together, on different batches.
            parts: by split, the boxes that are shown in place of whole images, under the fixed
                view; the other splits have whole images.
            decoder: of JPEG files; see `Loading`.
            resize: see `Loading`.
            in_memory: read the training images once, keep them in the memory of the device, and
                take the random views there; see `InMemory`.
        """
        super().__init__()
        whole_number("loader.batch_size", batch_size, least=1)
        whole_number("loader.num_workers", num_workers)
        whole_number("loader.limit", limit, least=1, optional=True)
        true_or_false("loader.in_memory", in_memory)
        if in_memory and source.reading.on_corrupt == "skip":
            raise GapnetError("loader.in_memory=true: needs data.on_corrupt=raise")
        self.source, self.limit, self.seed = source, limit, seed
        self.loading = Loading(decoder=decoder, resize=resize)
        self.batch_size, self.num_workers, self.processes = batch_size, num_workers, processes
        self.start, self.parts = START, parts or {}
        self.view, self.augment = view(canvas or input_size), (augment or view)(input_size)
        self.whole = whole_view(input_size) if in_memory else None
        self._records: dict[str, Records] = {}
        self.unreadable: set[str] = set()

    def records(self, split: str) -> Records:
        """Return the records of a split, at most `limit`; they are read once."""
        if split not in self._records:
            check_split(split)
            self._records[split] = limited(self.source.records(split), self.limit)
        return self._records[split]

    def check(self, *splits: str) -> None:
        """Read the records and the first image of splits, and check that the other images exist.

        So an error shows before the training starts.
        """
        for split in dict.fromkeys(splits):
            records, reading = self.records(split), self.source.reading
            if reading.on_corrupt == "raise":
                read_image(records[0].path, exif=reading.exif, files=reading.files)
            twice = [id_ for id_, times in Counter(records.ids).items() if times > 1]
            if twice:
                raise GapnetError(
                    f"split {split!r}: lists image {twice[0]} more than once; ids must be unique"
                )
            paths = chain(records.paths(), records.mask_paths())
            exists = partial(_exists, reading.files)
            with ThreadPoolExecutor(THREADS) as pool:  # a file server answers many at once
                missing = (path for path, there in pool.map(exists, paths) if not there)
                path = next(missing, None)
            if path is not None:
                raise GapnetError(f"{path}: no such file, but split {split!r} lists it; restore it")

    def images(self, split: str) -> Images:
        """Return the images of a split under the fixed view."""
        parts, reading = self.parts.get(split), self.source.reading
        return Images(self.records(split), self.view, reading, parts, loading=self.loading)

    def loader(
        self, split: str, *, done: Container[str] = (), samples: Samples | None = None
    ) -> DataLoader[Any]:
        """Return a loader of a split in order, every image once, under the fixed view.

        Batches whose images are all in `done` are left out. The ranks share the remaining ones.

        Args:
            split: to load.
            done: ids of images.
            samples: to load in place of the images.
        """
        ids = self.records(split).ids
        batches = [
            range(start, min(start + self.batch_size, len(ids)))
            for start in range(0, len(ids), self.batch_size)
        ]
        left = [batch for batch in batches if any(ids[row] not in done for row in batch)]
        samples = samples or Samples(self.images(split), collate)
        return self._loader(samples.dataset, sampler=Share(left), collate_fn=samples.collate)

    def train_dataloader(self) -> DataLoader[Sample] | InMemory:
        """Return a loader of the training split, shuffled, under random views."""
        records = self.records(self.source.train_split)
        images = Images(records, self.augment, self.source.reading, loading=self.loading)
        sampler = Shuffle(
            len(images),
            seed=self.seed,
            batch_size=self.batch_size,
            processes=self.processes,
            start=self.start,
            chunks=self.source.reading.files.chunks(records),
        )
        if self.whole is None:
            return self._loader(images, sampler=sampler)
        return InMemory(
            Images(records, self.whole, self.source.reading, loading=self.loading),
            self.augment,
            sampler,
            batch_size=self.batch_size,
            readers=self.num_workers,
            device=self._device,
        )

    def val_dataloader(self) -> DataLoader[Sample]:
        """Return a loader of the split that chooses checkpoints and thresholds."""
        return self.loader(self.source.select_split)

    def state_dict(self) -> dict[str, Any]:
        """Return the progress of the training, and the files that could not be read."""
        epoch, batches = self._reached()
        return {
            "epoch": epoch,
            "batches": batches,
            "images_a_step": self.batch_size * self.processes,
            "unreadable": sorted(self.unreadable),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from saved progress; in mid-epoch, the images per step must be the same."""
        self.start = Progress(state["epoch"], state["batches"])
        self.unreadable = set(state["unreadable"])
        now = self.batch_size * self.processes
        if self.start.batches and now != state["images_a_step"]:
            raise GapnetError(
                f"resume: the checkpoint is in the middle of an epoch of {state['images_a_step']} "
                f"images per step, not {now} (loader.batch_size={self.batch_size} on "
                f"{self.processes}): keep their product, or continue from the end of an epoch"
            )

    def _device(self) -> torch.device:
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def _reached(self) -> Progress:
        if self.trainer is None:
            return self.start
        loop = self.trainer.fit_loop
        epoch, begun = loop.epoch_progress.current.processed, loop.epoch_progress.current.started  # type: ignore[attr-defined]
        return Progress(epoch, loop.epoch_loop.batch_progress.current.ready if begun > epoch else 0)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Count the unreadable files of a training, over all ranks."""
        del dataloader_idx
        skips = self.source.reading.on_corrupt == "skip"
        if skips and self.trainer is not None and self.trainer.training:
            fresh = [path for path in batch.corrupt if path is not None]
            (any_fresh,) = maximum([float(bool(fresh))], self.trainer.strategy.root_device)
            for path in gather(fresh) if any_fresh else ():
                self._count_unreadable(path)
        return batch

    def _count_unreadable(self, path: str) -> None:
        if path in self.unreadable:
            return
        self.unreadable.add(path)
        most = self.source.reading.max_corrupt
        log.warning("%s: cannot be read; another image takes its place", path)
        if len(self.unreadable) > most:
            raise GapnetError(
                f"data.max_corrupt={most}: more image files than this cannot be read, the last is "
                f"{path}; restore the files (log.txt names them)"
            )

    def _loader(
        self,
        images: Dataset[Any],
        *,
        sampler: Shuffle | Share,
        collate_fn: Callable[[list[Any]], Any] = collate,
    ) -> DataLoader[Any]:
        return Loader(
            images,
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            collate_fn=collate_fn,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=prepare_worker,
        )
