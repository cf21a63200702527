"""Timing of batches, with a clock that the test moves."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gapnet.jobs import timed_batches
from gapnet.jobs.timed_batches import LEAST, TimedBatches

BATCH: Any = SimpleNamespace(ids=["a", "b"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0, waited=0)
    monkeypatch.setattr(timed_batches.time, "perf_counter", lambda: clock.now)
    return clock


def use(batches: TimedBatches, clock: SimpleNamespace, seconds: float) -> Iterator[None]:
    for _ in batches:
        clock.now += seconds
        yield


def test_the_first_two_batches_are_not_timed(clock: SimpleNamespace) -> None:
    batches = TimedBatches([BATCH], seconds=10, wait=lambda: None)
    for taken, _ in enumerate(use(batches, clock, 1.0)):
        clock.now += 100 if taken < 2 else 0
    assert (batches.count, batches.elapsed, batches.rate) == (10, 10.0, 2.0)


def test_a_slow_step_is_timed_a_few_times_beyond_the_time(clock: SimpleNamespace) -> None:
    batches = TimedBatches([BATCH, BATCH], seconds=1, wait=lambda: None)
    list(use(batches, clock, 60.0))
    assert (batches.count, batches.elapsed) == (LEAST, 60.0 * LEAST)


def test_the_device_has_done_its_work_at_both_ends(clock: SimpleNamespace) -> None:
    def wait() -> None:
        clock.now += 5.0
        clock.waited += 1

    batches = TimedBatches([BATCH], seconds=3, wait=wait)
    list(use(batches, clock, 1.0))
    assert clock.waited == 2
    assert batches.elapsed == 3 + 5  # the first wait is before the clock is read
