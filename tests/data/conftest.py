from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gapnet.data.readers import devkit
from tests.data.sharded import write_small


@pytest.fixture(scope="session")
def written(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the stand-in data as shards once; a test that changes them makes a copy."""
    return write_small(shapes_root, tmp_path_factory.mktemp("written") / "shards")


@pytest.fixture(autouse=True)
def _no_process_per_devkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read meta.mat in this process; one test shows that it is read in another."""

    @contextmanager
    def thread(workers: int) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(workers) as pool:
            yield pool

    monkeypatch.setattr(devkit, "worker_pool", thread)
