"""`gapnet shard`, and what is made of its shards: the same figures as from the folder."""

import sys
from pathlib import Path

import pytest

from gapnet.evaluation.store import read_parts
from tests.cli.conftest import QUICK, SMALL, Command, Trained, assert_one_line, script
from tests.data.sharded import served, write_small
from tests.few import few

DRAWN = [each for each in SMALL if each.startswith("data.")]


def test_shards_are_written_and_summed_up(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    command = ["shard", "data=shapes", *DRAWN, f"data.root={shapes_root}", "to=out"]
    outcome = gapnet(*command, "splits=[val]")
    assert outcome.status == 0, outcome.err
    first, last = outcome.out.splitlines()
    assert first == "val: 12 images in 1 shard, 0.1 MB"
    assert "data=ilsvrc_shards data.root=out" in last
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".made_of",
        "manifest.json",
        "val-000000.tar",
        "val.arrow",
    }
    again = gapnet(*command, "splits=[val]")
    assert (again.status, again.out) == (0, outcome.out)
    assert "to=out: " in again.err
    assert_one_line(gapnet(*command), "gapnet shard: to=out: ", "images, splits")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            ([], ["data: ", "data=ilsvrc data.root=DIR"]),
            (["data.root=x", "to=out"], ["data.root: ", "data=ilsvrc"]),
            (["data=shapes"], ["to=null: "]),
            (["data=shapes", "to=s3://x/y"], ["to=s3://x/y: "]),
            (["data=shapes", "to=out", "mb=0"], ["mb=0: "]),
            (["data=shapes", "to=out", "mb=many"], ["mb=many: "]),
            (["data=shapes", "to=out", "workers=0"], ["workers=0: "]),
            (["data=shapes", "to=out", "splits=val"], ["splits=val: ", "[val]"]),
            (["data=ilsvrc", "to=out", "data.root=nowhere"], ["data.root=nowhere: "]),
        ],
        3,
    ),
)
def test_bad_input_is_one_line(gapnet: Command, arguments: list[str], parts: list[str]) -> None:
    assert_one_line(gapnet("shard", *arguments), *parts)
    assert not Path("out").exists()


def test_webdataset_that_is_not_installed_is_named(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "webdataset"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("gapnet.data.shards.write", "gapnet.data.shards.pack"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "webdataset", None)
    outcome = gapnet("shard", "data=shapes", "to=out")
    assert_one_line(outcome, "webdataset", "pip install 'gapnet[shards]'")


@pytest.mark.parametrize("root", ["nowhere", "http://127.0.0.1:9"])
def test_a_root_without_shards_is_one_line(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setattr("gapnet.data.shards.urls.WAITS", ())
    outcome = gapnet("shard", "data=ilsvrc_shards", f"data.root={root}", "to=out")
    assert_one_line(outcome, f"gapnet shard: data.root={root}: ", "manifest.json")


def same_figures(run: Path, other: Path) -> bool:
    (table, about), (other_table, other_about) = (
        read_parts(folder / "predictions/test") for folder in (run, other)
    )
    metrics = [(folder / "metrics.json").read_bytes() for folder in (run, other)]
    same_table = bool(table.equals(other_table))
    return same_table and about == other_about and metrics[0] == metrics[1]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["disk", "server"])
def test_a_network_has_the_same_figures_as_on_the_folder(
    trained: Trained, shapes_root: Path, tmp_path: Path, place: str
) -> None:
    shards = write_small(shapes_root, tmp_path / "shards")
    with served(shards) as server:
        outcome = script(
            tmp_path,
            "evaluate.py",
            f"run={trained.run}",
            "data=ilsvrc_shards",
            f"data.root={shards if place == 'disk' else server.url}",
            f"folder={tmp_path / 'evaluation'}",
            "loader.num_workers=2",
        )
    assert outcome.status == 0, outcome.err
    assert same_figures(trained.run, tmp_path / "evaluation")


@pytest.mark.nightly
def test_a_training_ends_with_the_same_figures_as_on_the_folder(
    trained: Trained, shapes_root: Path, tmp_path: Path
) -> None:
    shards = write_small(shapes_root, tmp_path / "shards")
    outcome = script(
        tmp_path,
        "train.py",
        "model.input_size=48",
        *QUICK,
        "data=ilsvrc_shards",
        f"data.root={shards}",
        f"folder={tmp_path / 'run'}",
    )
    assert outcome.status == 0, outcome.err
    assert "tiny_gap on shapes (stand-in data), test split" in outcome.out
    assert same_figures(trained.run, tmp_path / "run")
