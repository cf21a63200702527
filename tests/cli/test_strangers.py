"""Runs and files of strangers: nothing in them is run, and one line says what is wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from tests.cli.conftest import QUICK, SMALL, Command, Trained
from tests.cli.test_bad_input import assert_one_line
from tests.data.sharded import write_small
from tests.few import few
from tests.planted import Planted, pickled

OWNED = "owned"  # the file that would be made
NODES: dict[str, dict[str, Any]] = {
    "os.system": {"command": f"touch {OWNED}"},
    "builtins.eval": {"_args_": [f"open('{OWNED}', 'w')"]},
    "pathlib.Path.touch": {"_args_": [{"_target_": "pathlib.Path", "_args_": [OWNED]}]},
    "subprocess.run": {"args": ["touch", OWNED]},
    "gapnet.runs.folder.subprocess.run": {"args": ["touch", OWNED]},
    "gapnet.runs.files.write_file": {"path": {"_target_": "pathlib.Path", "_args_": [OWNED]}},
    "functools.partial": {"_args_": [{"_target_": "os.system", "_partial_": True}]},
    "hydra.utils.get_method": {"path": "os.system"},
    "torch.optim.optimizer.torch.load": {"f": "evil.ckpt", "weights_only": False},
    "gapnet.training.classifier.Classifier.load_from_checkpoint": {
        "checkpoint_path": "evil.ckpt",
        "weights_only": False,
    },
}
GLOBAL = {"hydra": {"callbacks": {"x": {"_target_": "os.system", "command": f"touch {OWNED}"}}}}


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> Path:
    """Copy a run, to be given to a stranger."""
    (tmp_path / "evil.ckpt").write_bytes(pickled(tmp_path / OWNED))
    return Path(shutil.copytree(trained.run, tmp_path / "run"))


def change(run: Path, **groups: Any) -> None:
    config = OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))
    assert isinstance(config, dict)
    for name, changes in groups.items():
        config[name] |= changes
    (run / "config.yaml").write_text(OmegaConf.to_yaml(config))


@pytest.mark.parametrize("name", sorted(NODES))
def test_what_a_stranger_s_run_names_is_not_called(
    gapnet: Command, run: Path, tmp_path: Path, name: str
) -> None:
    change(run, saliency={"x": [{"_target_": name, **NODES[name]}]})
    assert_one_line(gapnet("evaluate", "run=run"), f"saliency.x.0._target_={name}: ")
    assert not (tmp_path / OWNED).exists()


@pytest.mark.parametrize(
    "group", few(["saliency", "boxer", "data", "view", "loader", "protocol"], 2)
)
def test_no_group_of_a_stranger_s_run_is_open(
    gapnet: Command, run: Path, tmp_path: Path, group: str
) -> None:
    change(run, **{group: {"_target_": "os.system", "_args_": [f"touch {OWNED}"]}})
    assert_one_line(gapnet("evaluate", "run=run"), f"{group}._target_=os.system: ")
    assert not (tmp_path / OWNED).exists()


WRITERS: dict[str, Any] = {
    "profiler": {
        "_target_": "pytorch_lightning.profilers.SimpleProfiler",
        "dirpath": OWNED,
        "filename": "x",
    },
    "logger": {"_target_": "pytorch_lightning.loggers.CSVLogger", "save_dir": OWNED},
    "plugins": [{"_target_": "pytorch_lightning.plugins.TorchCheckpointIO"}],
    "strategy": {"_target_": "pytorch_lightning.strategies.DDPStrategy"},
    "callbacks": [{"_target_": "pytorch_lightning.callbacks.ModelCheckpoint", "dirpath": OWNED}],
    "default_root_dir": OWNED,
}


@pytest.mark.slow
def test_the_trainer_of_a_stranger_s_run_writes_nowhere(
    gapnet: Command, run: Path, tmp_path: Path
) -> None:
    change(run, trainer=WRITERS)
    assert gapnet("evaluate", "run=run").status == 0
    assert not (tmp_path / OWNED).exists()
    assert OWNED not in (next((run / "evaluations").iterdir()) / "config.yaml").read_text()


@pytest.mark.parametrize(
    "group", few(["boxer", "data", "saliency", "view", "protocol", "report"], 2)
)
def test_no_other_group_of_a_stranger_s_run_names_a_profiler(
    gapnet: Command, run: Path, tmp_path: Path, group: str
) -> None:
    change(run, **{group: WRITERS["profiler"]})
    assert_one_line(gapnet("evaluate", "run=run"), f"config.yaml: {group}._target_=")
    assert not (tmp_path / OWNED).exists()


@pytest.mark.slow
def test_a_stranger_s_run_does_not_choose_where_data_is_drawn(
    gapnet: Command, run: Path, tmp_path: Path
) -> None:
    change(run, data={"root": str(tmp_path / OWNED), "folder": str(tmp_path / OWNED)})
    outcome = gapnet("evaluate", "run=run")
    assert outcome.status == 0, outcome.err
    assert not (tmp_path / OWNED).exists()
    assert list((tmp_path / "data").iterdir())


@pytest.fixture
def shard_run(run: Path, trained: Trained, shapes_root: Path, tmp_path: Path) -> Path:
    """Let the run be of shards at a URL, with a cache among somebody's backups."""
    write_small(shapes_root, tmp_path / "shards")
    (tmp_path / "backups" / "own").mkdir(parents=True)
    (tmp_path / "backups" / "own" / "thesis.tar").write_bytes(bytes(10**6))
    config = OmegaConf.to_container(OmegaConf.load(run / "config.yaml"))
    assert isinstance(config, dict)
    config["data"] = {
        "_target_": "gapnet.data.sources.shards.Shards",
        "root": f"file://{tmp_path / 'shards'}",
        "cache": str(tmp_path / "backups"),
        "cache_gb": 1e-4,
    }
    (run / "config.yaml").write_text(OmegaConf.to_yaml(config))
    return run


@pytest.mark.slow
def test_a_stranger_s_run_does_not_choose_a_cache(
    gapnet: Command, shard_run: Path, tmp_path: Path
) -> None:
    outcome = gapnet("evaluate", f"run={shard_run}")
    assert outcome.status == 0, outcome.err
    assert [path.name for path in (tmp_path / "backups").rglob("*")] == ["own", "thesis.tar"]
    assert (tmp_path / "data" / "fetched").is_dir()


@pytest.mark.slow
def test_a_cache_on_the_command_line_deletes_nothing_but_its_own(
    gapnet: Command, shard_run: Path, tmp_path: Path
) -> None:
    arguments = [f"data.cache={tmp_path / 'backups'}", "data.cache_gb=1e-4"]
    outcome = gapnet("evaluate", f"run={shard_run}", *arguments)
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "backups" / "own" / "thesis.tar").stat().st_size == 10**6


@pytest.mark.parametrize("url", few(["reference::file:///x.json", "https://me:hunter2@host/x"], 0))
def test_a_url_of_a_stranger_s_run_is_checked(gapnet: Command, shard_run: Path, url: str) -> None:
    change(shard_run, data={"root": url})
    outcome = gapnet("evaluate", f"run={shard_run}")
    assert_one_line(outcome, "data.root=")
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize("group", ["data", "view", "loader"])
def test_a_data_set_hidden_in_another_group_is_refused(
    gapnet: Command, run: Path, tmp_path: Path, group: str
) -> None:
    drawn = {"_target_": "gapnet.data.sources.shapes.dataset.shapes", "root": OWNED}
    change(run, **{group: {"source": drawn}})
    assert_one_line(gapnet("evaluate", "run=run"), f"config.yaml: {group}")
    assert not (tmp_path / OWNED).exists()


@pytest.mark.parametrize("group", ["view", "loader", "boxer"])
def test_a_data_set_in_place_of_another_part_is_refused(
    gapnet: Command, run: Path, tmp_path: Path, group: str
) -> None:
    change(run, **{group: {"_target_": "gapnet.data.sources.shapes.dataset.shapes", "root": OWNED}})
    assert_one_line(gapnet("evaluate", "run=run"), f"config.yaml: {group}._target_=")
    assert not (tmp_path / OWNED).exists()


def test_a_link_in_a_stranger_s_run_leads_no_evaluation_elsewhere(
    gapnet: Command, run: Path, tmp_path: Path
) -> None:
    (tmp_path / OWNED).mkdir()
    (run / "evaluations").symlink_to(tmp_path / OWNED)
    assert_one_line(gapnet("evaluate", "run=run"), "run/evaluations", str(tmp_path / OWNED))
    assert not list((tmp_path / OWNED).iterdir())


def test_a_group_of_a_run_cannot_reach_beyond_itself(
    gapnet: Command, run: Path, tmp_path: Path
) -> None:
    """Hydra would put another group in the place of all, and call what that has under `hydra`."""
    change(run, data={"defaults": [{"/report@_global_": "run"}]}, report=GLOBAL)
    assert_one_line(gapnet("evaluate", "run=run"), "run/config.yaml: data.defaults: ")
    assert not (tmp_path / OWNED).exists()


def test_modules_that_a_stranger_s_run_names_are_not_imported(
    gapnet: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "planted_module.py").write_text(f"open('{OWNED}', 'w')")
    change(run, boxer={"_target_": "planted_module.Boxer"})
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("imports: []", "imports: [planted_module]"))
    assert_one_line(gapnet("evaluate", "run=run"), "boxer._target_=planted_module.Boxer: ")
    assert not (tmp_path / OWNED).exists()


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("a: !!python/object/apply:os.system ['touch owned']", ""),
        ("a: !!python/name:os.system", ""),
        ("a: &a [1]\nb: *a", ""),
        ("a: ${oc.env:HOME}", "a=${oc.env:HOME}: "),
        ('a: [{b: "\\x24{oc.create:{_target_:os.system}}"}]', "a.0.b=${oc.create"),
        ("a: " + "[" * 60 + "]" * 60, ""),
        ("a: " + "x" * 2**17, ""),
    ],
)
def test_a_run_s_configuration_holds_plain_values(
    gapnet: Command, run: Path, tmp_path: Path, line: str, setting: str
) -> None:
    with (run / "config.yaml").open("a") as file:
        file.write(line + "\n")
    assert_one_line(gapnet("evaluate", "run=run"), "run/config.yaml: ", setting)
    assert not (tmp_path / OWNED).exists()


@pytest.mark.parametrize(
    "override",
    few(
        [
            "+callbacks.x={_target_: os.system, command: touch owned}",
            "+callbacks.x={_target_: gapnet.runs.folder.subprocess.run, args: [touch, owned]}",
            "optim.optimizer._target_=os.system",
            "+trainer.plugins=[{_target_: os.system, command: touch owned}]",
        ],
        1,
    ),
)
def test_an_override_names_no_more_than_a_configuration_may(
    gapnet: Command, shapes_root: Path, tmp_path: Path, override: str
) -> None:
    outcome = gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", override)
    assert outcome.status == 1
    assert "_target_=" in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err
    assert not (tmp_path / OWNED).exists()


@pytest.mark.parametrize(
    "arguments",
    few(
        [
            ["evaluate", "checkpoint=evil.ckpt"],
            ["export", "checkpoint=evil.ckpt", "to=safetensors"],
            ["train", "model.weights=evil.ckpt"],
            ["evaluate", "predictions=evil.parquet"],
            ["evaluate", "predictions=evil.json"],
            ["evaluate", "predictions=evil.csv"],
            ["evaluate", "maps=maps", "split=test"],
        ],
        2,
    ),
)
def test_a_planted_pickle_is_refused(
    gapnet: Command, shapes_root: Path, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "maps").mkdir()
    names = [f"evil.{suffix}" for suffix in ("ckpt", "parquet", "json", "csv")]
    maps = [f"maps/{path.stem}.npy" for path in (shapes_root / "ILSVRC").rglob("*test_*.JPEG")]
    for name in [*names, *maps]:
        (tmp_path / name).write_bytes(pickled(tmp_path / OWNED))
    data = SMALL if arguments[0] == "train" else SMALL[:-1]
    more = [] if arguments[0] == "export" else [*data, f"data.root={shapes_root}"]
    outcome = gapnet(*arguments, *more)
    assert outcome.status == 1
    assert "Traceback" not in outcome.err
    assert "evil." in outcome.err or ".npy: " in outcome.err
    assert not (tmp_path / OWNED).exists()


@pytest.mark.slow
def test_a_map_of_pickled_objects_is_refused(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "maps").mkdir()
    for path in (shapes_root / "ILSVRC").rglob("*test_*.JPEG"):
        heat = np.array([[Planted(tmp_path / OWNED)]], dtype=object)
        np.save(tmp_path / "maps" / f"{path.stem}.npy", heat, allow_pickle=True)
    outcome = gapnet("evaluate", "maps=maps", *SMALL[:-1], f"data.root={shapes_root}")
    assert outcome.status == 1
    assert ".npy: " in outcome.err.splitlines()[-1]
    assert not (tmp_path / OWNED).exists()


@pytest.mark.slow
def test_what_a_stranger_s_run_says_of_itself_cannot_break_an_export(
    gapnet: Command, run: Path
) -> None:
    for name in ("metrics.json", "env.json"):
        whole = (run / name).read_text()
        for content in ("[" * 100_000, json.dumps([[1]]), "3", '{"command": 3}', "\x00"):
            (run / name).write_text(content)
            assert_one_line(gapnet("export", "run=run", "to=safetensors"), f"run/{name}: ")
        (run / name).write_text(whole)
    assert not (run / "export").exists() or not list((run / "export").iterdir())
