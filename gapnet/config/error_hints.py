"""What went wrong, where a library's own words would not tell."""

import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.errors import GapnetError, full_disk, out_of_memory
from gapnet.system.ranks import PEER, died

WORKER = re.compile(
    r"DataLoader worker \(pid\(?s?\)? ([\d, ]+)\) (?:is killed by signal: ([^.]+)|exited)"
)
PROCESS = re.compile(r"process (\d+) terminated with (?:signal (\w+)|exit code (\d+))")
SHARED = re.compile(r"bus error|shared memory|No space left on device.*shm", re.IGNORECASE)
LOST = re.compile(
    r"connection (?:was )?(?:closed|reset)|broken pipe|socket timeout|store.*timeout|recv failed|"
    r"remote process has terminated|nccl.*(?:abort|remote)|watchdog",
    re.IGNORECASE,
)
UNUSED = "Expected to have finished reduction in the prior iteration"
FIND_UNUSED = (
    "some weights received no gradient, which strategy=ddp does not expect: "
    "trainer.strategy=ddp_find_unused_parameters_true"
)


def cause_of(error: BaseException, cfg: DictConfig | None = None) -> str | None:
    """Say in a line what an error of a library comes from, and what helps; None if it is unknown.

    >>> cause_of(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."))[:60]
    'a process that reads images (7) was killed by signal Killed,'
    """
    if isinstance(error, GapnetError):
        full = out_of_memory(error.__cause__)
        return f"out of memory while a file was read: {error}" if full else None
    text = " ".join(f"{error.__cause__ or ''} {error}".split())
    if dead := _dead(text):
        return dead
    if out_of_memory(error) or out_of_memory(error.__cause__):
        return _memory(cfg)
    if reason := full_disk(error):
        return _full(error, reason, cfg)
    if isinstance(error, RuntimeError) and LOST.search(text):
        return f"{PEER} ({text[:120]}); see its own error for the cause"
    return FIND_UNUSED if UNUSED in text else None


def _dead(text: str) -> str | None:
    """Name the process that died and the reason, if the error is about that."""
    if worker := WORKER.search(text):
        return _worker(worker, text)
    if process := PROCESS.search(text):
        return died(int(process[1]), process[2] or f"status {process[3]}")
    return None


def _memory(cfg: DictConfig | None) -> str:
    batch, precision = _told(cfg, "loader.batch_size"), _told(cfg, "trainer.precision")
    smaller = max(1, batch // 2) if isinstance(batch, int) else "..."
    return (
        f"out of memory with loader.batch_size={batch}, trainer.precision={precision}: try "
        f"trainer.precision=bf16-mixed, or loader.batch_size={smaller} "
        "trainer.accumulate_grad_batches=2; trainer.auto_batch=true finds what fits"
    )


def _full(error: BaseException, reason: str, cfg: DictConfig | None) -> str:
    """Name the file, or else the folder that it was probably written to."""
    place = getattr(error, "filename", None) or _told(cfg, "folder") or _told(cfg, "paths.runs")
    what = f"{place}: cannot be written ({reason})" if place else reason
    again = "repeat the command"
    if cfg is not None and "resume" in cfg:
        again = "go on with resume=" + ("true" if isinstance(cfg.resume, bool) else "auto")
    return f"{what}; make room, and {again}"


def _told(cfg: DictConfig | None, key: str) -> Any:
    return None if cfg is None else OmegaConf.select(cfg, key)


def _worker(found: re.Match[str], text: str) -> str:
    number, killed = found[1].strip(), found[2]
    process = f"a process that reads images ({number})"
    if killed == "Killed":
        return (
            f"{process} was killed by signal Killed, as the kernel does where memory runs out: "
            "fewer loader.num_workers, or a smaller loader.batch_size"
        )
    if killed in (None, "Bus error") and SHARED.search(text):
        return f"{process} ran out of shared memory: enlarge /dev/shm, or loader.num_workers=0"
    if killed:
        return f"{process} was killed by signal {killed}"
    return f"{process} ended; loader.num_workers=0 shows the error"
