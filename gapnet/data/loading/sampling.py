"""Which images a process draws, in which order: it follows from the seed and the place alone."""

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


class Place(NamedTuple):
    """Tell how far a training is: so many batches of an epoch are done, by each process."""

    epoch: int = 0
    batches: int = 0


START = Place()


class Shuffle(Sampler[Draw]):
    """Draw every image once an epoch, in an order and under seeds that follow from the epoch.

    So do the batches. `processes` of them stand side by side in a step: each process draws its own
    part, and the images of a step are the same, however many share them.
    """

    def __init__(
        self,
        count: int,
        *,
        seed: int,
        batch_size: int,
        processes: int = 1,
        start: Place = START,
        chunks: Chunks | None = None,
    ) -> None:
        """Shuffle `count` images for batches, from a place in the training on.

        Where they lie in chunks, a few of these are mixed at a time.
        """
        self.count, self.seed, self.epoch, self.chunks = count, seed, start.epoch, chunks
        self.batch_size, self.start = batch_size, start
        self.images_a_step = batch_size * processes
        if processes > 1 and count < self.images_a_step:
            raise GapnetError(
                f"loader.batch_size={batch_size}: {processes} processes take "
                f"{self.images_a_step} images a step, and there are {count}"
            )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the images of an epoch that are this process's; only full batches are drawn."""
        return self.count // self.images_a_step * self.batch_size or self.count

    def __iter__(self) -> Iterator[Draw]:
        """Draw this process's images of the epoch, those aside that were drawn before the start."""
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
        rank, processes = rank_and_count()
        return self.batches[rank::processes]
