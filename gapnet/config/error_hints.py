"""Causes and remedies for errors of libraries whose messages do not say them."""

import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.errors import GapnetError, full_disk, out_of_memory
from gapnet.system.ranks import PEER, failed_rank

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
    "trainer.strategy=ddp: some weights received no gradient; set "
    "trainer.strategy=ddp_find_unused_parameters_true"
)


def cause_of(error: BaseException, cfg: DictConfig | None = None) -> str | None:
    """Return the cause of a library's error, and the remedy, in one line; None if it is unknown.

    >>> cause_of(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."))[:63]
    'loader.num_workers: worker process (pid 7) was killed by signal'
    """
    if isinstance(error, GapnetError):
        full = out_of_memory(error.__cause__)
        return f"out of memory while reading a file: {error}" if full else None
    text = " ".join(f"{error.__cause__ or ''} {error}".split())
    if dead := _dead(text):
        return dead
    if out_of_memory(error) or out_of_memory(error.__cause__):
        return _memory(cfg)
    if reason := full_disk(error):
        return _full(error, reason, cfg)
    if isinstance(error, RuntimeError) and LOST.search(text):
        return f"{PEER} ({text[:120]}); see the error of that rank for the cause"
    return FIND_UNUSED if UNUSED in text else None


def _dead(text: str) -> str | None:
    """Return the process that died and the reason, if the error is about that."""
    if worker := WORKER.search(text):
        return _worker(worker, text)
    if process := PROCESS.search(text):
        return failed_rank(int(process[1]), process[2] or f"status {process[3]}")
    return None


def _memory(cfg: DictConfig | None) -> str:
    batch, precision = _value(cfg, "loader.batch_size"), _value(cfg, "trainer.precision")
    smaller = max(1, batch // 2) if isinstance(batch, int) else "..."
    return (
        f"loader.batch_size={batch}, trainer.precision={precision}: out of memory; try "
        f"trainer.precision=bf16-mixed, or loader.batch_size={smaller} "
        "trainer.accumulate_grad_batches=2; trainer.auto_batch=true finds a size that fits"
    )


def _full(error: BaseException, reason: str, cfg: DictConfig | None) -> str:
    """Return the message for a full disk, with the file, or else the folder of the run."""
    path = getattr(error, "filename", None) or _value(cfg, "folder") or _value(cfg, "paths.runs")
    problem = f"{path}: cannot be written ({reason})" if path else reason
    remedy = "repeat the command"
    if cfg is not None and "resume" in cfg:
        remedy = "continue with resume=" + ("true" if isinstance(cfg.resume, bool) else "auto")
    return f"{problem}; make room, and {remedy}"


def _value(cfg: DictConfig | None, key: str) -> Any:
    """Return a configured value, or None if there is none."""
    return None if cfg is None else OmegaConf.select(cfg, key)


def _worker(match: re.Match[str], text: str) -> str:
    number, killed = match[1].strip(), match[2]
    process = f"loader.num_workers: worker process (pid {number})"
    if killed == "Killed":
        return (
            f"{process} was killed by signal Killed, probably because memory ran out; use a "
            "smaller loader.num_workers or loader.batch_size"
        )
    if killed in (None, "Bus error") and SHARED.search(text):
        return f"{process} ran out of shared memory; enlarge /dev/shm, or set loader.num_workers=0"
    if killed:
        return f"{process} was killed by signal {killed}"
    return f"{process} ended unexpectedly; loader.num_workers=0 shows the error"
