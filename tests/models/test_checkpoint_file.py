"""Checkpoint files: what is damaged is refused, and what others wrote is read."""

import zipfile
from pathlib import Path

import pytest
import torch
from lightning_fabric.utilities.cloud_io import _load
from torch.utils.serialization import config

from gapnet.models.checkpoint_file import pack_checkpoint, read_checkpoint
from tests.refusals import refused

COMMENT = 78  # bytes of the digest at the end


def content() -> dict:
    torch.manual_seed(0)
    state = {"weight": torch.randn(40, 30), "steps": torch.tensor(7), "half": torch.ones(3).half()}
    return {"state_dict": state, "global_step": 7, "rates": [0.1, None, "constant"]}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "a.ckpt"
    path.write_bytes(pack_checkpoint(content()).getbuffer())
    return path


def assert_same(found: dict, other: dict) -> None:
    assert found["state_dict"].keys() == other["state_dict"].keys()
    for name, value in found["state_dict"].items():
        assert value.dtype == other["state_dict"][name].dtype
        assert torch.equal(value, other["state_dict"][name]), name
    assert {**found, "state_dict": {}} == {**other, "state_dict": {}}


def test_what_was_packed_is_read(checkpoint: Path) -> None:
    assert_same(read_checkpoint(checkpoint), content())


def test_a_flipped_bit_is_named_as_damage(checkpoint: Path) -> None:
    damaged = bytearray(checkpoint.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    checkpoint.write_bytes(damaged)
    with refused(checkpoint, "damaged"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("left", [0, 1, 30, -COMMENT - 1, -200])
def test_a_truncated_file_is_refused(checkpoint: Path, left: int) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:left])
    with refused(checkpoint):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("lost", [1, 64, COMMENT])
def test_a_file_that_only_lost_its_digest_is_read(checkpoint: Path, lost: int) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-lost])
    assert_same(read_checkpoint(checkpoint), content())


@pytest.mark.parametrize("mapped", [False, True])
def test_torch_and_lightning_read_the_file(checkpoint: Path, *, mapped: bool) -> None:
    assert_same(torch.load(checkpoint, weights_only=True, mmap=mapped), content())
    assert_same(_load(checkpoint, weights_only=True), content())


def test_zip_tools_read_the_file(checkpoint: Path) -> None:
    with zipfile.ZipFile(checkpoint) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_without_a_digest_is_read(tmp_path: Path, *, zipped: bool) -> None:
    torch.save(content(), tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    assert_same(read_checkpoint(tmp_path / "a.ckpt"), content())


def test_a_file_whose_checksums_were_left_out_is_read(tmp_path: Path) -> None:
    with config.patch({"save.compute_crc32": False}):
        torch.save(content(), tmp_path / "a.ckpt")
    assert_same(read_checkpoint(tmp_path / "a.ckpt"), content())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with refused(tmp_path / "a.ckpt"):
        read_checkpoint(tmp_path / "a.ckpt")
