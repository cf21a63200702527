"""Two machines train together: two network namespaces, with a wire between them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.conftest import JOB, TRAIN, check_close

ADDRESSES = {"gapnet0": "10.73.1.1", "gapnet1": "10.73.1.2"}
pytestmark = pytest.mark.nightly


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def machines() -> Iterator[list[str]]:
    """Lay a wire between two namespaces."""
    if shutil.which("ip") is None:
        pytest.skip("there is no ip")
    try:
        for name in ADDRESSES:
            ip("netns", "add", name)
        ip(
            "link",
            "add",
            "wire0",
            "netns",
            "gapnet0",
            "type",
            "veth",
            "peer",
            "wire1",
            "netns",
            "gapnet1",
        )
        for number, (name, address) in enumerate(ADDRESSES.items()):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", f"wire{number}")
            for link in ("lo", f"wire{number}"):
                ip("-n", name, "link", "set", link, "up")
        yield list(ADDRESSES)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces are not allowed: {error.stderr}")
    finally:
        for name in ADDRESSES:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_two_machines_end_with_the_weights_of_one(
    machines: list[str], alone: Path, tmp_path: Path
) -> None:
    run = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    run += [f"--master-addr={ADDRESSES[machines[0]]}", "--master-port=29519"]
    job = [*JOB, "trainer.num_nodes=2", "loader.batch_size=6"]
    processes = []
    for number, name in enumerate(machines):
        inside = [
            "ip",
            "netns",
            "exec",
            name,
            "env",
            f"GLOO_SOCKET_IFNAME=wire{number}",
            "OMP_NUM_THREADS=1",
        ]
        command = [*inside, *run, f"--node-rank={number}", TRAIN[1], *job]
        processes.append(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
    for process in processes:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
    check_close(alone, (tmp_path / "runs" / "latest").resolve())
