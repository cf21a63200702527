import pytest
from omegaconf import OmegaConf

from gapnet.cli.causes import cause_of

CFG = OmegaConf.create({"loader": {"batch_size": 256}, "trainer": {"precision": "32-true"}})


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ..."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=["cuda", "cpu", "python", "fork"],
)
def test_full_memory_is_told_with_what_would_help(error: Exception) -> None:
    told = cause_of(error, CFG)
    assert told is not None
    for part in (
        "loader.batch_size=256",
        "trainer.precision=32-true",
        "trainer.precision=bf16-mixed",
    ):
        assert part in told
    assert "loader.batch_size=128 trainer.accumulate_grad_batches=2" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "DataLoader worker (pid 4711) is killed by signal: Killed. ",
            "a process that reads images (4711) was killed by signal Killed, as the kernel does",
        ),
        (
            "DataLoader worker (pid 7) is killed by signal: Bus error. (out of shared memory)",
            "enlarge /dev/shm",
        ),
        (
            "DataLoader worker (pid(s) 1, 2) exited unexpectedly",
            "a process that reads images (1, 2) ended; loader.num_workers=0",
        ),
        (
            "[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:3871",
            "another process of the training is gone",
        ),
        ("process 1 terminated with signal SIGKILL", "rank 1 was killed by SIGKILL, as the kernel"),
        ("process 0 terminated with exit code 7", "rank 0 ended with status 7"),
        (
            "Expected to have finished reduction in the prior iteration before starting a new one.",
            "trainer.strategy=ddp_find_unused_parameters_true",
        ),
    ],
)
def test_the_words_of_a_library_become_a_cause(text: str, told: str) -> None:
    assert told in str(cause_of(RuntimeError(text), CFG))


def test_what_is_unknown_is_left_as_it_is() -> None:
    assert cause_of(RuntimeError("shapes cannot be multiplied")) is None
