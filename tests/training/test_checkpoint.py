import errno
import os
from pathlib import Path

import pytest

from gapnet.training.checkpoint import DurableIO
from tests.refusals import refused


def steps(folder: Path) -> dict[str, int]:
    return {path.name: DurableIO().load_checkpoint(path)["step"] for path in folder.iterdir()}


def save(folder: Path, *steps: int, name: str = "last") -> None:
    for step in steps:
        DurableIO().save_checkpoint({"step": step}, folder / f"{name}.ckpt")


def test_the_last_checkpoint_leaves_the_one_before(tmp_path: Path) -> None:
    save(tmp_path, 1)
    assert steps(tmp_path) == {"last.ckpt": 1}
    save(tmp_path, 2, 3)
    assert steps(tmp_path) == {"last.ckpt": 3, "previous.ckpt": 2}


def test_other_checkpoints_leave_none(tmp_path: Path) -> None:
    save(tmp_path, 1, 2, name="best")
    assert steps(tmp_path) == {"best.ckpt": 2}


def test_a_full_disk_leaves_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save(tmp_path, 1, 2)
    monkeypatch.setattr(Path, "write_bytes", full)
    with refused(tmp_path / "last.ckpt", os.strerror(errno.ENOSPC)):
        save(tmp_path, 3)
    assert steps(tmp_path) == {"last.ckpt": 2, "previous.ckpt": 1}


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 1)
    path = tmp_path / "last.ckpt"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with refused(path):
        DurableIO().load_checkpoint(path)
