"""Secrets on a command line reach no file and no screen."""

from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, SMALL, Command, Trained, assert_one_line
from tests.few import few

SECRET = "hunter2hunter2"


def files_with_secret(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


@pytest.mark.slow
def test_a_secret_key_is_written_nowhere(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    arguments = [f"+hub.token={SECRET}", "+hub.url=https://me:hunter2hunter2@host/x", "debug=fast"]
    outcome = gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", *arguments)
    assert outcome.status == 0, outcome.err
    assert gapnet("export", "run=runs/latest", "to=safetensors").status == 0
    assert SECRET not in outcome.out + outcome.err
    assert files_with_secret(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    few(
        [f"https://me:{SECRET}@host/x", f"https://host/x?token={SECRET}", f"s3://k:{SECRET}@b/x"], 1
    ),
)
@pytest.mark.parametrize("command", ["train", "doctor", "shard"])
def test_a_url_with_a_secret_is_refused_without_showing_it(
    gapnet: Command, tmp_path: Path, url: str, command: str
) -> None:
    more = ["to=out"] if command == "shard" else []
    outcome = gapnet(command, "data=ilsvrc_shards", f"data.root='{url}'", *more)
    assert outcome.status == 1
    assert SECRET not in outcome.out + outcome.err
    assert "netrc" in outcome.out + outcome.err
    assert files_with_secret(tmp_path) == []


def test_an_evaluation_refuses_it_too(gapnet: Command, trained: Trained, tmp_path: Path) -> None:
    url = f"data.root='https://host/x?token={SECRET}'"
    outcome = gapnet("evaluate", f"run={trained.run}", "data=ilsvrc_shards", url)
    assert_one_line(outcome, "data.root=https://host/x?***", "netrc")
    assert files_with_secret(trained.run) == []


@pytest.mark.parametrize("command", ["train", "search"])
@pytest.mark.parametrize("override", [f"+hub.token={SECRET}", f"+hub={{token:{SECRET}}}"])
def test_a_sweep_and_a_search_refuse_secrets(
    gapnet: Command, tmp_path: Path, command: str, override: str
) -> None:
    more = ["-m", "seed=0,1"] if command == "train" else ["search=lr_wd"]
    outcome = gapnet(command, override, *more)
    assert outcome.status == 1
    assert SECRET not in outcome.out + outcome.err
    assert files_with_secret(tmp_path) == []
