"""Tables whose rows are other commands than an evaluation of a trained network."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from gapnet.report.paper_table import markdown
from gapnet.studies.table import plan as planning
from gapnet.studies.table import run_commands as running
from gapnet.studies.table.collect import collect_sheet, judge_claims
from gapnet.studies.table.overrides import keys_of
from gapnet.studies.table.plan import TablePlan
from gapnet.studies.table.run_commands import run_commands
from tests.cli.conftest import Trained, script
from tests.refusals import refused

TABLE = {
    "number": 99,
    "title": "Linear classifiers",
    "command": "svm",
    "metrics": {"accuracy": "accuracy"},
    "columns": {
        "birds": {"heading": "birds", "arguments": ["data=cub"]},
        "scenes": {
            "heading": "scenes",
            "arguments": ["data=scenes"],
            "metrics": {"AP": {"metric": "ap", "split": "test"}},
        },
    },
    "rows": {
        "net": {"name": "GAP features"},
        "pixels": {"name": "pixels", "arguments": ["C=2"], "columns": ["birds"]},
    },
    "networks": {"net": {"model": ["model=tiny_gap"], "deviates": "small"}},
    "recipes": {},
    "claims": [
        {
            "says": "features are better than pixels",
            "better": ["net", "birds"],
            "worse": ["pixels", "birds"],
            "metric": "accuracy",
            "higher_is_better": True,
        }
    ],
}
CONFIG = {
    "table": TABLE,
    "rows": None,
    "recipe": "stand_in",
    "looks": "ten",
    "seeds": [0, 1],
    "checkpoints": {},
    "submit": False,
    "resamples": 10,
    "seed": 0,
}


def value_of(arguments: Sequence[str], key: str) -> str:
    (value,) = [each.partition("=")[2] for each in arguments if each.startswith(f"{key}=")]
    return value


def fake_training(runs: Path, overrides: tuple[str, ...]) -> DictConfig:
    folder = runs / "net" / value_of(overrides, "seed")
    return OmegaConf.create({"trainer": {"max_epochs": 1}, "folder": str(folder)})


def fake_command(name: str, arguments: Sequence[str], runs: Path) -> None:
    """Write what a training or a linear classifier leaves."""
    if name == "train":
        folder = runs / "net" / value_of(arguments, "seed")
        folder.mkdir(parents=True)
        (folder / "training.json").touch()
        return
    accuracy = 0.5
    if arguments[0].startswith("run="):
        accuracy = 0.6 if Path(value_of(arguments, "run")).name == "0" else 0.8
    rows = [
        {"metric": "ap", "value": 0.1, "split": "val"},
        {"metric": "ap", "value": 0.25, "split": "test", "n": 7},
        {"metric": "accuracy", "value": accuracy, "n": 20},
    ]
    folder = Path(value_of(arguments, "folder"))
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(rows))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TablePlan:
    """Plan the table of a command `svm` that this test registers."""
    cfg = OmegaConf.create({**CONFIG, "runs": str(tmp_path)})
    monkeypatch.setattr(planning, "keys_of", lambda name: {"data", "C", "imports"})
    return TablePlan(cfg, ("imports=[mine]",), lambda given: fake_training(tmp_path, given))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Run commands in this process, and list them."""
    listed: list[list[str]] = []

    def call(command: list[str]) -> int:
        name, *arguments = command[4:]
        listed.append([name, *arguments])
        fake_command(name, arguments, tmp_path)
        return 0

    monkeypatch.setattr(running, "call", call)
    return listed


def test_another_command_runs_after_the_training_that_it_needs(
    plan: TablePlan, calls: list[list[str]], tmp_path: Path
) -> None:
    cells = plan.cells()
    assert run_commands(plan.commands(cells)) == []
    names = [name for name, *_ in calls]
    assert names == ["train", "svm", "train", "svm", "svm", "svm", "svm"]
    of_net = [arguments for name, *arguments in calls if "data=scenes" in arguments]
    assert [arguments[:3] for arguments in of_net] == [
        [f"run={tmp_path}/net/{seed}", "imports=[mine]", "data=scenes"] for seed in (0, 1)
    ]
    assert Path(value_of(of_net[0], "folder")).parent == tmp_path / "net/0/svm"
    alone = calls[-1]
    assert alone[:4] == ["svm", "imports=[mine]", "data=cub", "C=2"]
    assert Path(value_of(alone, "folder")).parent == tmp_path / "svm"
    calls.clear()
    assert run_commands(plan.commands(plan.cells())) == []
    assert calls == []


def test_a_table_of_another_command_shows_its_metrics(
    plan: TablePlan, calls: list[list[str]]
) -> None:
    run_commands(plan.commands(plan.cells()))
    header, _, net, pixels = markdown(collect_sheet(plan, plan.cells())).splitlines()[2:6]
    assert header == "| method | birds, accuracy | scenes, AP | n | commit | deviates |"
    assert net == "| GAP features | 70.00 (sd 14.14) | 25.00 (sd 0.00) | 7, 20 | unknown | small |"
    assert pixels == "| pixels | 50.00 |  | 20 | unknown |  |"
    (claim,) = judge_claims(plan.cfg, plan.cells())
    assert claim.startswith("- **undecided**: features are better than pixels (+20.00 points, ")
    assert claim.endswith("no interval over images; 2 of 2 seeds that way)")


def test_a_command_that_is_unknown_is_named() -> None:
    with refused("command", "nix"):
        keys_of("nix")


def test_a_network_that_is_unknown_is_named(plan: TablePlan) -> None:
    plan.cfg.table.rows.net.network = "nix"
    with refused("network", "nix", "net"):
        plan.cells()


@pytest.mark.slow
def test_predictions_that_are_there_can_be_a_row(trained: Trained, tmp_path: Path) -> None:
    row = f"+table.rows.mine={{name:mine,columns:[box],arguments:['predictions={trained.run}']}}"
    metric = "{metric:max_box_acc_v2,protocol:wsol,chosen_on:val}"
    column = f"{{heading:MaxBoxAcc,arguments:['protocol=wsol'],metrics:{{V2:{metric}}}}}"
    given = [row, f"+table.columns.box={column}", "rows=[mine]", "resamples=20", "report.images=0"]
    outcome = script(tmp_path, "experiments/table2.py", *given)
    assert outcome.status == 0, outcome.err
    (path,) = (tmp_path / "runs/evaluate").glob("*/metrics.json")
    (value,) = [
        each["value"]
        for each in json.loads(path.read_text())
        if (each["metric"], each["chosen_on"]) == ("max_box_acc_v2", "val")
    ]
    assert f"| mine |  |  | {100 * value:.2f} (" in outcome.out
