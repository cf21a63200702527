"""`gapnet table`."""

import csv
import json
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from omegaconf import OmegaConf

from gapnet.cli.commands.table import complete
from gapnet.studies.table.arguments import check_table_settings
from tests.cli.conftest import CHECKOUT, QUICK, Command, Outcome, Trained, assert_one_line, script
from tests.few import few
from tests.refusals import refused

ILSVRC = ["data=ilsvrc", "data.root=nowhere"]
ONE = ["table=table2", "rows=[alexnet_gap]", "looks=single"]
DRAWN = [
    "data=shapes",
    "data.scenes=sparse",
    "data.size=72",
    "data.classes=6",
    "data.train=24",
    "data.val=12",
    "data.test=12",
    "model.input_size=72",
]
FILL = ["recipe=stand_in", "looks=single", "resamples=20", *DRAWN, *QUICK, "report.images=0"]
TRAINED, LOCALIZED = "alexnet_star_gap", "alexnet_backprop"


def last_line(outcome: Outcome) -> str:
    assert outcome.status == 1, outcome.out
    return outcome.err.splitlines()[-1]


# What the arguments are


def test_what_a_table_does_not_take_is_passed_on() -> None:
    *kept, passed_on = complete(["rows=[nin]", "data=shapes", "--dry-run", "+trainer.x=1"])
    assert kept == ["rows=[nin]", "dry_run=true"]
    assert passed_on.startswith("passed_on=[")
    assert passed_on.count("data=shapes") == passed_on.count("+trainer.x=1") == 1


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_a_table_is_no_sweep(flag: str) -> None:
    with refused("-m", "rows="):
        complete([flag])


def test_a_sweep_value_is_named() -> None:
    with refused("optim.lr=1,2"):
        complete(["optim.lr=1,2"])


SOUND = {
    "rows": None,
    "seeds": [0],
    "resamples": 10,
    "checkpoints": {},
    "parallel": 1,
    "minutes": None,
    "table": {"networks": {"nin": {}, "vgg16": {}}},
}


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        ({"rows": "nin"}, ["rows=nin", "null"]),
        ({"rows": []}, ["rows=[]", "null"]),
        ({"seeds": []}, ["seeds=[]"]),
        ({"seeds": [0, -1]}, ["seeds=[0, -1]"]),
        ({"seeds": [True]}, ["seeds=[True]"]),
        ({"seeds": 3}, ["seeds=3"]),
        ({"resamples": 0}, ["resamples=0"]),
        ({"resamples": 1.5}, ["resamples=1.5"]),
        ({"parallel": 0}, ["parallel=0"]),
        ({"minutes": 5}, ["minutes=5", "parallel=2"]),
        ({"checkpoints": {"nix": "a"}}, ["checkpoints.nix", "nin, vgg16"]),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_its_rule(wrong: dict, parts: list[str]) -> None:
    with refused(*parts):
        check_table_settings(OmegaConf.create({**SOUND, **wrong}))


def test_sound_values_pass() -> None:
    check_table_settings(OmegaConf.create({**SOUND, "seeds": [0, 7], "checkpoints": {"nin": "a"}}))


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["-m"], ["-m: "]),
            (["seeds=[]"], ["seeds=[]: "]),
            (["rows=[nix]"], ["rows=", "nix", "googlenet_gap"]),
            (["checkpoints.nix=a.ckpt"], ["checkpoints.nix", "vgg16_gap, "]),
            ([*ONE, "optm.lr=1"], ["optm: ", "'optim'"]),
            ([*ONE, "checkpoints.alexnet_gap=a.ckpt"], ["checkpoints.alexnet_gap=a.ckpt: "]),
        ],
        2,
    ),
    ids=lambda words: words[-1],
)
def test_a_wrong_argument_is_one_line(
    gapnet: Command, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("table", *arguments), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_folder_whose_name_is_too_long_is_refused_before_the_work(
    gapnet: Command, tmp_path: Path
) -> None:
    assert_one_line(gapnet("table", *ONE, *ILSVRC, f"to={'n' * 300}"), "folder=", "nnn")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_table_is_not_written_through_a_link_that_leads_out_of_the_runs(
    gapnet: Command, tmp_path: Path
) -> None:
    for name in ("runs", "foreign"):
        (tmp_path / name).mkdir()
    (tmp_path / "runs/tables").symlink_to(tmp_path / "foreign")
    outcome = gapnet("table", *ONE, *ILSVRC)
    assert_one_line(outcome, "runs/tables: ", f" {tmp_path / 'foreign'}")


# What would be done


@pytest.mark.slow
def test_a_dry_run_shows_each_command_with_its_number_of_images(
    gapnet: Command, tmp_path: Path
) -> None:
    (tmp_path / "myconf").mkdir()
    options = ["--config-dir=myconf", "trainer.max_epochs=5", "--dry-run"]
    outcome = gapnet("table", *ONE, *ILSVRC, *options)
    assert outcome.status == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[::2] == ["# 1,281,167 images x 5 epochs", *["# 50,000 images"] * 2]
    commands = [shlex.split(line) for line in lines[1::2]]
    assert [command[:3] for command in commands] == [["python", "-m", "gapnet"]] * 3
    assert [command[3] for command in commands] == ["train", "evaluate", "evaluate"]
    assert {command[4] for command in commands} == {f"--config-dir={tmp_path / 'myconf'}"}
    assert "data.root=nowhere" in commands[0]
    assert list(tmp_path.iterdir()) == [tmp_path / "myconf"]


@pytest.mark.slow
def test_a_dry_run_shows_what_is_there(gapnet: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.ckpt"
    file.touch()
    given = [*ONE, *ILSVRC, f"checkpoints.alexnet_gap={file}", "--dry-run"]
    folders = re.findall(r"folder=(\S+)", gapnet("table", *given).out)
    there = Path(folders[0])
    there.mkdir(parents=True)
    for name in ("metrics.json", "verdicts.parquet"):
        (there / name).touch()
    lines = gapnet("table", *given).out.splitlines()
    (line,) = [line for line in lines if line.startswith("# is there: ")]
    assert f"checkpoint={file}" in line
    assert f"folder={there}" in line
    assert len(folders) == len(set(folders)) == 1 + lines.count("# 50,000 images")


# Filled


class Filled(NamedTuple):
    home: Path
    first: Outcome
    before: dict[Path, int]
    whole: Outcome

    @property
    def text(self) -> str:
        return (self.home / "runs/tables/table2.md").read_text()


def fill(home: Path, *more: str) -> Outcome:
    return script(home, "experiments/table2.py", *FILL, *more)


def written(home: Path) -> dict[Path, int]:
    """List the files of runs, and when each was written."""
    runs = [each for each in (home / "runs").glob("alexnet*/*/**/*") if each.is_file()]
    return {path.relative_to(home): path.stat().st_mtime_ns for path in runs}


def rows_of(text: str) -> list[dict[str, str]]:
    lines = [each for each in text.splitlines() if each.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in each.strip("|").split("|")] for each in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Fill one row, and then two."""
    home = tmp_path_factory.mktemp("table")
    first = fill(home, f"rows=[{TRAINED}]")
    before = written(home)
    return Filled(home, first, before, fill(home, f"rows=[{TRAINED},{LOCALIZED}]"))


@pytest.mark.slow
def test_a_row_is_filled_alone(filled: Filled) -> None:
    assert filled.first.status == 0, filled.first.err
    assert "| AlexNet*-GAP | 63.75 | 49.53 |" in filled.first.out
    assert "AlexNet |" not in filled.first.out


@pytest.mark.slow
def test_what_is_there_is_not_run_again(filled: Filled) -> None:
    assert filled.whole.status == 0, filled.whole.err
    assert len(filled.before) > 10
    assert filled.before.items() <= written(filled.home).items()
    assert filled.whole.err.count("is there: ") == 3


@pytest.mark.slow
def test_the_table_has_no_gap_left(filled: Filled) -> None:
    rows = rows_of(filled.text)
    assert [row["method"] for row in rows] == ["AlexNet*-GAP", "Backprop on AlexNet"]
    assert not any("?" in cell for row in rows for cell in row.values())
    assert all(row["n"] == "12" and row["commit"] for row in rows)
    assert rows[0]["GrabCut, top-1"] == ""
    assert all(re.fullmatch(r"[\d.]+ \(.* to .*\)", row["20% rule, top-5"]) for row in rows)


@pytest.mark.slow
def test_the_table_says_what_it_is_of_and_how_it_was_made(filled: Filled) -> None:
    assert (
        "stand-in data set (shapes (stand-in data)). They say nothing about ILSVRC" in filled.text
    )
    assert "experiments/table2.py" in filled.text
    assert "Recipe: stand_in; looks: single." in filled.text
    assert re.search(r"Hardware: \d+ cores, .*, torch ", filled.text)


@pytest.mark.slow
def test_a_claim_of_rows_that_are_there_is_judged(filled: Filled) -> None:
    told = [each for each in filled.text.splitlines() if each.startswith("- **")]
    judged = [each for each in told if "not known yet" not in each]
    assert "AlexNet*-GAP localizes better than backprop on AlexNet" in judged[0]
    assert all("AlexNet*-GAP" in each and "backprop on AlexNet" in each for each in judged)
    assert re.search(r"\([-+][\d.]+ points, .* of 1 seeds that way\)$", judged[0])


@pytest.mark.slow
def test_the_table_s_figures_are_those_of_the_runs(filled: Filled) -> None:
    with (filled.home / "runs/tables/table2.csv").open(newline="") as file:
        rows = {(row["column"], row["figure"]): row for row in csv.DictReader(file)}
    files = (filled.home / "runs" / "alexnet").glob("*/evaluations/*/metrics.json")
    figures = [each for file in files for each in json.loads(file.read_text())]
    errors = {
        f"{100 * each['value']:.2f}"
        for each in figures
        if each["metric"] == "top5_localization_error" and each["threshold"] == 0.2
    }
    assert errors == {rows["threshold20", "top-5"]["ours"]}
    assert r"\begin{tabular}" in (filled.home / "runs/tables/table2.tex").read_text()


@pytest.mark.nightly
def test_an_evaluation_that_is_lost_is_made_again_alone(filled: Filled) -> None:
    before, text = written(filled.home), filled.text
    lost, _ = (filled.home / "runs" / TRAINED).glob("*/evaluations/*")
    shutil.rmtree(lost)
    outcome = fill(filled.home, f"rows=[{TRAINED},{LOCALIZED}]")
    assert outcome.status == 0, outcome.err
    after = written(filled.home)
    assert after.keys() == before.keys()
    changed = {path for path in after if after[path] != before[path]}
    assert changed
    assert all((filled.home / path).is_relative_to(lost) for path in changed)
    assert rows_of(filled.text) == rows_of(text)


@pytest.mark.parametrize(
    "kills", [pytest.param(kills, marks=pytest.mark.nightly) for kills in (2, 10)]
)
def test_a_table_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    filled: Filled, tmp_path: Path, kills: int
) -> None:
    chance, rows = random.Random(0), f"rows=[{TRAINED},{LOCALIZED}]"
    command = [sys.executable, str(CHECKOUT / "experiments/table2.py"), *FILL, rows]
    for _ in range(kills):
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(1, 15))
        process.kill()
        process.wait()
    outcome = fill(tmp_path, rows)
    assert outcome.status == 0, outcome.err
    for suffix in ("md", "csv", "tex"):
        straight, killed = (
            (home / f"runs/tables/table2.{suffix}").read_text().splitlines()
            for home in (filled.home, tmp_path)
        )
        assert [each for each in killed if "Command:" not in each] == [
            each for each in straight if "Command:" not in each
        ]


@pytest.mark.nightly
def test_a_row_that_fails_leaves_the_others_filled(filled: Filled) -> None:
    damaged = filled.home / "damaged.ckpt"
    damaged.write_bytes(b"no checkpoint")
    given = [f"checkpoints.alexnet={damaged}", "to=partly"]
    outcome = fill(filled.home, f"rows=[{TRAINED},{LOCALIZED}]", *given)
    line = last_line(outcome)
    assert re.match(r"gapnet table: \d of \d ", line)
    assert f"python -m gapnet evaluate checkpoint={damaged} " in line
    there, failed = rows_of((filled.home / "partly/table2.md").read_text())
    assert "?" not in there.values()
    assert failed["20% rule, top-1"] == failed["GrabCut, top-5"] == "?"
    assert failed["paper, top-1"] == "65.17"


@pytest.mark.nightly
def test_evaluations_of_a_training_that_fails_are_left_out(filled: Filled) -> None:
    more = ["rows=[alexnet_gap]", "optim.lr=-1", "to=none"]
    outcome = fill(filled.home, *more)
    assert last_line(outcome).startswith("gapnet table: 1 of 3 ")
    assert "gapnet train experiment=stand_in" in last_line(outcome)
    assert outcome.err.count("left out, since its training failed") == 2
    assert (filled.home / "none/table2.md").is_file()


@pytest.mark.nightly
def test_a_test_split_without_truth_becomes_a_submission(
    trained: Trained, shapes_root: Path, tmp_path: Path
) -> None:
    tree = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    (tree / "shapes.json").unlink()
    shutil.rmtree(tree / "ILSVRC/Annotations/CLS-LOC/test")
    file = shutil.copy(trained.run / "checkpoints/best.ckpt", tmp_path / "mine.ckpt")
    given = [f"checkpoints.googlenet_gap={file}", "rows=[heuristics,overfeat_full]", "submit=true"]
    data = ["data=ilsvrc", f"data.root={tree}", "looks=single", "resamples=20"]
    quick = ["loader.num_workers=0", "trainer.accelerator=cpu", "report.images=0"]
    outcome = script(tmp_path, "experiments/table3.py", *given, *data, *quick)
    assert outcome.status == 0, outcome.err
    found = list((tmp_path / "runs/googlenet_gap").glob("given-*/evaluations/*/submission"))
    assert len(found) == 2  # by plain thresholds, and by the released program
    assert all((each / "kaggle.csv").read_text().count("\n") == 13 for each in found)
    heuristics, overfeat = rows_of((tmp_path / "runs/tables/table3.md").read_text())
    assert "?" not in heuristics.values()
    assert (overfeat["paper, top-5"], overfeat["n"]) == ("29.90", "")
