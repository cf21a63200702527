"""Batches for a limited time, and how fast they were taken."""

import time
from collections.abc import Callable, Iterable, Iterator

from gapnet.data.sample import Batch

WARM_UP = 2  # batches: Lightning fetches one ahead, and the first ones take longer
LEAST = 3  # batches that are timed, also if the time is over


class TimedBatches:
    """Iterable of batches that begins again until the time is over.

    Args:
        batches: of one epoch.
        seconds: from the second batch on.
        wait: waits until the device has done its work.
    """

    def __init__(
        self, batches: Iterable[Batch], *, seconds: float, wait: Callable[[], None]
    ) -> None:
        """Prepare; nothing has been timed yet."""
        self.batches, self.seconds, self.wait = batches, seconds, wait
        self.count, self.images, self.elapsed = 0, 0, 0.0

    @property
    def rate(self) -> float:
        """Return the images per second that were taken."""
        return self.images / self.elapsed

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches; the time between two of them is that of reading and using one."""
        taken, begun = 0, 0.0
        while True:
            for batch in self.batches:
                yield batch
                taken += 1
                if taken < WARM_UP:
                    continue
                if taken == WARM_UP:
                    self.wait()
                    begun = time.perf_counter()
                    continue
                self.count, self.images = self.count + 1, self.images + len(batch.ids)
                if self.count >= LEAST and time.perf_counter() - begun >= self.seconds:
                    self.wait()
                    self.elapsed = time.perf_counter() - begun
                    return
