import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from gapnet.workers import STOPPING, worker_pool


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_from_elsewhere_does_not_end_a_worker(number: int) -> None:
    with worker_pool(1) as pool:
        worker = pool.submit(nap, 0).result()
        helper = os.fork()  # a signal of the main process's own would end the worker
        if helper == 0:
            os.kill(worker, number)
            os._exit(0)
        os.waitpid(helper, 0)
        assert pool.submit(nap, 0.1).result() == worker


def test_a_worker_ends_when_the_main_process_says_so() -> None:
    with worker_pool(1) as pool:
        worker = pool.submit(nap, 0).result()
        os.kill(worker, signal.SIGTERM)
        with pytest.raises(BrokenProcessPool):
            pool.submit(nap, 0.5).result(10)


def test_what_has_not_begun_at_the_end_is_not_done() -> None:
    start = time.monotonic()
    with worker_pool(1) as pool:
        pool.map(nap, [0.1] * 1000)
    assert time.monotonic() - start < 20
