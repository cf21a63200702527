"""Fixtures of all tests; a plugin, which only the processes that run tests load."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shapes.dataset import shapes


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(autouse=True)
def restored_random_state() -> Iterator[None]:
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    torch.manual_seed(0)
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a small data set once: 3 classes, 48 pixels."""
    root = tmp_path_factory.mktemp("drawn") / "shapes"
    small_shapes(root)
    return root


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB, where this user may."""
    place = tmp_path / "small disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # a log may be open there


@pytest.fixture
def full_disk(small_disk: Path) -> Path:
    """Fill the small disk."""
    with (small_disk / "junk").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return small_disk


def small_shapes(root: Path) -> Ilsvrc:
    return shapes(root=root, size=48, classes=3, train=24, val=12, test=12)
