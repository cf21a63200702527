from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from pyarrow.lib import ArrowMemoryError
from torch.utils.data import DataLoader

from gapnet.config.error_hints import cause_of
from gapnet.errors import GapnetError

CFG = OmegaConf.create({"loader": {"batch_size": 256}, "trainer": {"precision": "32-true"}})


class Huge:
    """Images of which none fits into memory."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, row: int) -> np.ndarray:
        return np.empty((10**9, 10**9))


def raised(work: Callable[[], object]) -> Exception:
    with pytest.raises(Exception, match=r".") as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ..."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        OSError(12, "Nicht genügend Hauptspeicher verfügbar"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("bad_alloc was thrown in -fno-exceptions mode"),
        RuntimeError("can't start new thread"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ArrowMemoryError("malloc of size 100000000000000000 failed"),
        raised(lambda: np.empty((10**9, 10**9))),
        raised(lambda: torch.empty(10**17)),
        raised(lambda: next(iter(DataLoader(Huge(), num_workers=1)))),
        cv2.error("OpenCV(4.10.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to ..."),
    ],
    ids=[
        *("cuda", "cpu", "python", "fork", "errno", "c++", "bad_alloc", "thread", "cublas"),
        *("pyarrow", "numpy", "torch", "worker", "opencv"),
    ],
)
def test_full_memory_is_told_with_what_would_help(error: Exception) -> None:
    line = cause_of(error, CFG)
    assert line is not None
    for part in (
        "loader.batch_size=256",
        "trainer.precision=32-true",
        "trainer.precision=bf16-mixed",
        "loader.batch_size=128 trainer.accumulate_grad_batches=2",
    ):
        assert part in line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "DataLoader worker (pid 4711) is killed by signal: Killed. ",
            ["loader.num_workers", "4711", "Killed", "loader.batch_size"],
        ),
        (
            "DataLoader worker (pid 7) is killed by signal: Bus error. (out of shared memory)",
            ["7", "/dev/shm", "loader.num_workers=0"],
        ),
        (
            "DataLoader worker (pid(s) 1, 2) exited unexpectedly",
            ["1, 2", "loader.num_workers=0"],
        ),
        (
            "[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:3871",
            ["rank", "[127.0.0.1]:3871"],
        ),
        ("process 1 terminated with signal SIGKILL", ["rank 1", "SIGKILL"]),
        ("process 0 terminated with exit code 7", ["rank 0", "7"]),
        (
            "Expected to have finished reduction in the prior iteration before starting a new one.",
            ["trainer.strategy=ddp_find_unused_parameters_true"],
        ),
    ],
)
def test_the_words_of_a_library_become_a_cause(text: str, parts: list[str]) -> None:
    line = str(cause_of(RuntimeError(text), CFG))
    assert all(part in line for part in parts), line


@pytest.mark.parametrize("signal", ["Terminated", "Segmentation fault", "Real-time signal 5"])
def test_a_reader_that_died_of_another_signal_is_not_said_to_lack_memory(signal: str) -> None:
    error = RuntimeError(f"DataLoader worker (pid 7) is killed by signal: {signal}. ")
    line = str(cause_of(error, CFG))
    assert all(part in line for part in ("loader.num_workers", "7", signal)), line
    assert "loader.batch_size" not in line
    later = RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly")
    later.__cause__ = error
    assert cause_of(later, CFG) == cause_of(error, CFG)


def test_a_file_that_memory_was_too_small_for_is_named() -> None:
    error = GapnetError("a.npy: is no readable map (Unable to allocate 3 PiB)")
    assert cause_of(error, CFG) is None
    error.__cause__ = MemoryError()
    assert str(error) in str(cause_of(error, CFG))


def test_what_is_unknown_is_left_as_it_is() -> None:
    assert cause_of(RuntimeError("shapes cannot be multiplied")) is None


@pytest.mark.parametrize(
    ("error", "path", "reason"),
    [
        (OSError(28, "No space left", "a/m.json"), "a/m.json", "No space left on device"),
        (OSError(122, "Disk quota exceeded"), "runs/x", "Disk quota exceeded"),
        (OSError(27, "File too large"), "runs/x", "File too large"),
        (
            ValueError("I/O error: No space left on device (os error 28)"),
            "runs/x",
            "No space left on device",
        ),
        (
            Exception("(sqlite3.OperationalError) database or disk is full"),
            "runs/x",
            "disk is full",
        ),
    ],
)
def test_a_full_disk_is_told_with_the_place_and_what_to_do(
    error: Exception, path: str, reason: str
) -> None:
    train, evaluate = ({"folder": "runs/x", "resume": value} for value in (None, False))
    line = str(cause_of(error, OmegaConf.create(train)))
    assert line.startswith(f"{path}: ")
    assert reason in line
    assert line.endswith("resume=auto")
    assert str(cause_of(error, OmegaConf.create(evaluate))).endswith("resume=true")
    for cfg in (OmegaConf.create({}), None):
        line = str(cause_of(error, cfg))
        assert reason in line
        assert "resume=" not in line


def test_full_shared_memory_is_no_full_disk() -> None:
    error = RuntimeError("unable to write to file </torch_1>: No space left on device (28)")
    assert cause_of(error) is None
