"""Order of the images on every rank; it depends only on the seed and the epoch."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch.utils.data import Sampler

from gapnet.data.loading.images import Draw
from gapnet.data.loading.order import Chunks, shuffled
from gapnet.errors import GapnetError
from gapnet.system.distributed import rank_and_count

SEEDS = 2**31


class Progress(NamedTuple):
    """Progress of a training: the epoch, and the number of its batches that a rank has done."""

    epoch: int = 0
    batches: int = 0


START = Progress()


class Shuffle(Sampler[Draw]):
    """Sampler that draws every image once per epoch, in a random order and with random seeds.

    In a step, every one of `processes` ranks draws another batch; the images of a step are the same
    for any number of ranks that share them.
    """

    def __init__(
        self,
        count: int,
        *,
        seed: int,
        batch_size: int,
        processes: int = 1,
        start: Progress = START,
        chunks: Chunks | None = None,
    ) -> None:
        """Shuffle `count` images for batches, beginning at `start`.

        If the images lie in chunks, only a few chunks are mixed at a time.
        """
        self.count, self.seed, self.epoch, self.chunks = count, seed, start.epoch, chunks
        self.batch_size, self.start = batch_size, start
        self.images_a_step = batch_size * processes
        if processes > 1 and count < self.images_a_step:
            raise GapnetError(
                f"loader.batch_size={batch_size}: {processes} processes take "
                f"{self.images_a_step} images per step, and there are {count}"
            )

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of images that this rank draws in an epoch, in full batches."""
        return self.count // self.images_a_step * self.batch_size or self.count

    def __iter__(self) -> Iterator[Draw]:
        """Draw the images of this rank that come after `start`."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = shuffled(self.count, generator, self.chunks)
        seeds = torch.randint(SEEDS, (self.count,), generator=generator).tolist()
        rank, _ = rank_and_count()
        for batch in range(self._done(), max(1, self.count // self.images_a_step)):
            first = batch * self.images_a_step + rank * self.batch_size
            mine = slice(first, first + self.batch_size)
            yield from map(Draw, order[mine], seeds[mine])

    def _done(self) -> int:
        return self.start.batches if self.epoch == self.start.epoch else 0


class Share(Sampler[int]):
    """Sampler of the remaining batches, shared among the ranks, in the order of the images.

    A batch has the same images for any number of ranks and remaining batches, because the last
    digits of a network's output depend on the other images of the batch.
    """

    def __init__(self, batches: Sequence[range]) -> None:
        """Share batches of rows among the ranks."""
        self.batches = batches

    def __len__(self) -> int:
        """Return the number of images of this rank."""
        return sum(map(len, self._mine()))

    def __iter__(self) -> Iterator[int]:
        """Iterate over the rows of this rank."""
        return chain.from_iterable(self._mine())

    def _mine(self) -> Sequence[range]:
        rank, processes = rank_and_count()
        return self.batches[rank::processes]
