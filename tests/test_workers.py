import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from gapnet.system.workers import STOPPING, worker_pool


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


@pytest.mark.slow
def test_a_signal_from_elsewhere_does_not_end_a_worker() -> None:
    with worker_pool(1) as pool:
        worker = pool.submit(nap, 0).result()
        for number in STOPPING:
            helper = os.fork()  # a signal from the main process would end the worker
            if helper == 0:
                os.kill(worker, number)
                os._exit(0)
            os.waitpid(helper, 0)
            assert pool.submit(nap, 0.05).result() == worker, number


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


CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE = 10  # seconds


def work_and_wait(report: Path) -> None:
    with worker_pool(2) as pool:
        numbers = {*pool.map(own_number, range(20), chunksize=1)}
        report.with_suffix(".tmp").write_text(" ".join(map(str, numbers)))
        report.with_suffix(".tmp").rename(report)
        time.sleep(PATIENCE)


def own_number(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def lives(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own signal")
def test_the_processes_of_a_pool_end_with_one_that_is_killed(tmp_path: Path) -> None:
    report = tmp_path / "report"
    pid = os.fork()
    if pid == 0:
        try:
            work_and_wait(report)
        finally:
            os._exit(0)
    until = time.monotonic() + PATIENCE
    while not report.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    numbers = report.read_text().split()
    while any(map(lives, numbers)) and time.monotonic() < until:
        time.sleep(0.02)
    assert numbers
    assert not any(map(lives, numbers))


THREAD_IN_WORKERS = """
import os, threading, time
thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
os.register_at_fork(after_in_child=thread.start)
from tests.test_workers import test_a_signal_from_elsewhere_does_not_end_a_worker
test_a_signal_from_elsewhere_does_not_end_a_worker()
"""


@pytest.mark.slow
def test_a_thread_that_a_library_starts_in_a_worker_takes_no_signal_from_it() -> None:
    command = [sys.executable, "-c", THREAD_IN_WORKERS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
